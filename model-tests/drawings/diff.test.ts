import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { differencesIn, sayDifference } from '../../scripts/charts/diff-report.ts';

const folder = fileURLToPath(new URL('../../docs/charts/', import.meta.url));
const own = mkdtempSync(join(tmpdir(), 'taskbridge-charts-'));
afterAll(() => rmSync(own, { recursive: true }));

/** What is said of a chart after an edit of its text. */
function edited(chart: string, edit: (text: string) => string): readonly string[] {
  const text = readFileSync(join(folder, `${chart}.json`), 'utf8');
  const file = join(own, `edited-${chart}.json`);
  expect(edit(text)).not.toBe(text);
  writeFileSync(file, edit(text));
  return differencesIn(file).lines;
}

describe('what an edited chart changes', () => {
  test('is nothing where it is only written in another way', () => {
    const names = (text: string): string => text.replaceAll(/"guard": \{\s*"type": ("\w+")\s*\}/g, '"guard": $1');
    expect(edited('task', (text) => names(text).replaceAll('"target": "running"', '"target": "#task.active.running"'))).toEqual([]);
  });

  test.each([
    [
      'a description',
      'task',
      '"The work is under way."',
      '"It works."',
      'state active.running: description: It works., was The work is under way.',
    ],
    ['a tag', 'task', '"waiting"', '"stuck"', 'state active.suspended: tags: stuck, was waiting'],
    ['a guard', 'task', '"hasMostSuspensions"', '"hasMany"', 'state active: report.suspended #2, guard: hasMany, was hasMostSuspensions'],
    ['a target', 'task', '"target": "cancelled",', '"target": "failed",', 'state active: TASK_CANCELLED, target: failed, was cancelled'],
    [
      'an action',
      'entry',
      '"target": "sending"',
      '"target": "sending", "actions": "count"',
      'state queued: entry.sent, actions: count, was none',
    ],
    ['a transition', 'entry', '"entry.sent"', '"entry.gone"', 'state queued: no more entry.sent → sending'],
    ['a beginning', 'entry', '"initial": "queued"', '"initial": "sending"', 'state (the whole): begins in: sending, was queued'],
    [
      'an actor',
      'outbox',
      '"src": "readEntries"',
      '"src": "readAll"',
      'state open.work.loading: runs: readAll as entries, was readEntries as entries',
    ],
    ['a context', 'suspension', '"question": null', '"question": 1', 'context: {"question":1}, was {"question":null}'],
  ])('is said by name: %s', (_, chart, from, to, line) => {
    expect(edited(chart, (text) => text.replace(from, to))).toContain(line);
  });

  test('is a new state with its transitions, and one that is gone', () => {
    const lines = edited('entry', (text) =>
      text.replace('"withdrawn": {', '"parked": {').replaceAll('"target": "withdrawn"', '"target": "parked"'),
    );
    expect(lines).toEqual(expect.arrayContaining(['state withdrawn: is gone', 'state parked: is new']));
  });

  test('is held against the flow where the file is one', () => {
    const file = join(own, 'task.flow.json');
    writeFileSync(file, readFileSync(join(folder, 'task.flow.json'), 'utf8').replace('"isAccepted"', '"isGood"'));
    expect(differencesIn(file)).toEqual({ name: 'task.flow', lines: [expect.stringContaining('guard: isGood, was isAccepted')] });
  });
});

describe('a file that is no chart of ours', () => {
  test.each([
    ['no JSON', '{', /cannot be read as JSON/],
    ['another id', '{ "id": "lamp" }', /has the id "lamp", which no chart has/],
    ['a target that is nowhere', '{ "id": "task", "on": { "a": { "target": "#nowhere" } } }', /is no chart for XState/],
  ])('is refused with the reason: %s', (_, text, reason) => {
    const file = join(own, 'wrong.json');
    writeFileSync(file, text);
    expect(() => differencesIn(file)).toThrow(reason);
  });

  test('is refused where none is named', () => expect(() => differencesIn(undefined)).toThrow(/Which file/));
});

describe('the command', () => {
  const said = (['log', 'error'] as const).map((kind) => vi.spyOn(console, kind).mockImplementation(() => undefined));
  afterEach(() => {
    process.exitCode = undefined;
    for (const spy of said) spy.mockClear();
  });
  afterAll(() => said.forEach((spy) => spy.mockRestore()));

  test.each([
    [0, 'task.json', (text: string) => text],
    [1, 'task.json', (text: string) => text.replace('"waiting"', '"stuck"')],
    [2, 'task.json', (text: string) => text.slice(1)],
  ])('exits with %i', (code, name, edit) => {
    const file = join(own, name);
    writeFileSync(file, edit(readFileSync(join(folder, name), 'utf8')));
    sayDifference(file);
    expect(process.exitCode).toBe(code);
    expect(said.flatMap(({ mock }) => mock.calls).length).toBe(code === 1 ? 2 : 1);
  });
});
