import { describe, expect, test } from 'vitest';
import { doors } from '../../scripts/doors.ts';
import { fieldWords } from './field-words.ts';
import { avoidedNames, declaredExports, doorFaults, glossaryOf, partsOf, publicRoomOf, sharedNames, unknownWords } from './names.ts';
import { sourceFiles, textOfFile } from './project-files.ts';

const product = ['machines', 'server', 'client', 'adapters'] as const;
const published = [...product, 'model-tests/conformance'] as const;
const NAMES_MAX = 60;

const files = sourceFiles();
const glossary = glossaryOf(textOfFile('GLOSSARY.md'));
const exportsOf = (room: string): string[] =>
  files.filter((file) => publicRoomOf(file, published) === room).flatMap((file) => declaredExports(file));

describe('a name', () => {
  test('is declared by one room only', () => {
    expect(sharedNames(Object.fromEntries(published.map((room) => [room, exportsOf(room)])))).toEqual([]);
  });

  test('of a file or a folder is made of words of the glossary and of the trade', () => {
    const message = 'A new word: one of ours gets its line in GLOSSARY.md; one of the trade goes to house/field-words.ts, in order.';
    expect(unknownWords(files, new Set([...glossary.words, ...fieldWords])), message).toEqual([]);
  });

  test('has no word that the glossary has another for', () => {
    const paths = files.filter((file) => publicRoomOf(file, product) !== undefined).map((file) => file.replace(/\.tsx?$/, ''));
    const names = new Set([...paths.flatMap((path) => path.split('/')), ...product.flatMap(exportsOf)]);
    expect(avoidedNames([...names], glossary.avoided)).toEqual([]);
  });

  test.each(doors)('comes through $source by itself, and is one of sixty', ({ source }) => {
    expect(doorFaults(source, NAMES_MAX)).toEqual([]);
  });
});

describe('a word of the trade', () => {
  test('stands in its list once, in order, and only where the glossary does not have it', () => {
    expect(fieldWords).toEqual([...new Set(fieldWords)].sort());
    expect(fieldWords.filter((word) => glossary.words.has(word))).toEqual([]);
  });

  test('is part of a name', () => {
    const words = new Set(files.flatMap((file) => file.replace(/\.tsx?$/, '').split(/[-./]/)));
    expect(fieldWords.filter((word) => !words.has(word) && !words.has(`${word}s`))).toEqual([]);
  });
});

describe('what is looked for is found', () => {
  const [word, instead] = ['desk', 'command processor'];

  test('in the tables of the glossary', () => {
    const found = glossaryOf(
      `| word | what it means | not |\n|---|---|---|\n| **${instead}** | decides | ${word}, duty list |\n| \`…Deps\` | | |`,
    );
    expect([...found.words]).toEqual(['command', 'processor', 'deps']);
    expect([...found.avoided]).toEqual([
      ['desk', instead],
      ['duty list', instead],
    ]);
  });

  test('in names of every style', () => {
    expect(['TaskRecord', 'task-record.test.ts', 'TASK_RECORD', 'parseHTTPBody'].map(partsOf)).toEqual([
      ['task', 'record'],
      ['task', 'record', 'test', 'ts'],
      ['task', 'record'],
      ['parse', 'http', 'body'],
    ]);
  });

  test('where two rooms declare one name, and not where one passes it on', () => {
    const a = declaredExports('a.ts', 'export interface Refusal {}\nexport const [one, { two }] = x;\nfunction own() {}');
    const b = declaredExports('b.ts', `export { two } from './c.ts';\nexport class Refusal {}\nexport default 1;`);
    expect([a, b]).toEqual([['Refusal', 'one', 'two'], ['Refusal']]);
    expect(sharedNames({ a, b })).toEqual(['Refusal: a, b']);
  });

  test('where a file or a folder has a word that is not known', () => {
    expect(unknownWords(['rooms/task-desk.test.ts', 'siege/tasks.ts'], new Set(['room', 'task', 'test']))).toEqual([
      'task-desk.test: desk',
      'siege: siege',
    ]);
  });

  test('where a name is made of a word that has another, and not where it is only spelled in it', () => {
    const avoided = new Map([[word, instead]]);
    expect(avoidedNames(['DeskOptions', 'task-desk', 'Desktop', 'HELP_DESK'], avoided)).toEqual(
      ['DeskOptions', 'task-desk', 'HELP_DESK'].map((name) => `${name}: ${word} is called ${instead}`),
    );
  });

  test('where a door has a star, or too many names', () => {
    expect(doorFaults('a.ts', 2, `export * from './b.ts';\nexport { one, type Two } from './c.ts';`)).toEqual([
      `a.ts: everything of './b.ts' comes through a star`,
    ]);
    expect(doorFaults('a.ts', 2, `export { one, two } from './c.ts';\nexport const three = 3;`)).toEqual(['a.ts: 3 names']);
    expect(doorFaults('a.ts', 2, `export * as all from './c.ts';`)).toHaveLength(1);
  });
});
