import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { filesBelow, textOfFile } from '../house/project-files.ts';
import { patience } from '../support/patience.ts';
import { folders, givens } from './givens.ts';
import { root } from './snippets.ts';

/** One fenced block of a page. */
interface Block {
  /** `file:line` of its first line. */
  readonly place: string;
  readonly page: string;
  readonly language: string;
  readonly text: string;
}

/** What is checked, and what only people read. A block in any other language is refused, so that none is left out unseen. */
const compiled = ['ts', 'tsx', 'js'];
// Those of proxies are the files that model-tests/proxies runs, or say that they are not tried here; the manifest is checked by model-tests/deploys.
const unchecked = ['', 'text', 'mermaid', 'nginx', 'haproxy', 'caddyfile', 'yaml'];
/** Pages whose code is a program of its own, compiled with the project. */
const ownPrograms = ['docs/react-native.md'];

function blocksOf(page: string, text: string): Block[] {
  return [...text.matchAll(/^( *)```(\w*)\n([\s\S]*?)^\1```$/gm)].map(({ index, 2: language = '', 3: code = '' }) => ({
    place: `${page}:${text.slice(0, index).split('\n').length + 1}`,
    page,
    language,
    text: code,
  }));
}

const pages = filesBelow().filter((name) => name.endsWith('.md') && !ownPrograms.includes(name));
const blocks = pages.flatMap((page) => blocksOf(page, textOfFile(page)));

/** The names that stand at the top of a block. */
function declaredBy(text: string): Set<string> {
  const names = new Set<string>();
  const add = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) names.add(node.text);
    else if (ts.isObjectBindingPattern(node) || ts.isArrayBindingPattern(node))
      for (const element of node.elements) if (ts.isBindingElement(element)) add(element.name);
  };
  for (const statement of ts.createSourceFile('block.tsx', text, ts.ScriptTarget.ESNext, true).statements) {
    if (ts.isVariableStatement(statement)) for (const { name } of statement.declarationList.declarations) add(name);
    if (ts.isFunctionDeclaration(statement) && statement.name) add(statement.name);
    const bindings = ts.isImportDeclaration(statement) ? statement.importClause?.namedBindings : undefined;
    if (bindings && ts.isNamedImports(bindings)) for (const { name } of bindings.elements) add(name);
    if (ts.isImportDeclaration(statement) && statement.importClause?.name) add(statement.importClause.name);
  }
  return names;
}

/** The block as a module, with what its page takes for granted in one line above it. */
function moduleOf({ page, text }: Block): string {
  const declared = declaredBy(text);
  const given = Object.entries(givens[page] ?? {}).filter(([name]) => !declared.has(name) && new RegExp(`\\b${name}\\b`).test(text));
  return `export {};${given.map(([, declaration]) => `declare ${declaration};`).join('')}\n${text}`;
}

/** What the compiler says of these blocks, as strict with them as with us. */
function faultsOf(checked: readonly Block[]): string[] {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (path) => ts.sys.readFile(path)) as { config: unknown };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const files = new Map(
    checked.map((block, index) => [join(root, folders[block.page] ?? 'model-tests/readme', `block-${index}.tsx`), block]),
  );
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  host.fileExists = (name) => files.has(name) || fileExists(name);
  host.getSourceFile = (name, ...rest) => {
    const block = files.get(name);
    return block ? ts.createSourceFile(name, moduleOf(block), ts.ScriptTarget.ESNext) : getSourceFile(name, ...rest);
  };
  const program = ts.createProgram({ rootNames: [...files.keys()], options, host });
  return [...files].flatMap(([name, { place }]) =>
    ts.getPreEmitDiagnostics(program, program.getSourceFile(name)).map(({ messageText, start = 0, file }) => {
      const line = file?.getLineAndCharacterOfPosition(start).line ?? 0;
      return `${place}, its line ${line}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
    }),
  );
}

const are = (...languages: readonly string[]): Block[] => blocks.filter(({ language }) => languages.includes(language));

describe('the code blocks of all pages', () => {
  test('are in languages that are checked, or that nobody runs', () => {
    const known = [...compiled, ...unchecked, 'json', 'sh'];
    expect(blocks.filter(({ language }) => !known.includes(language)).map(({ place, language }) => `${place}: ${language}`)).toEqual([]);
    // As many as there are fences: none is overlooked.
    expect(2 * blocks.length).toBe(pages.reduce((sum, page) => sum + (textOfFile(page).match(/^ *```/gm)?.length ?? 0), 0));
  });

  test(
    'compile as strictly as we do',
    () => {
      const planted: Block = { place: 'planted', page: 'client/README.md', language: 'ts', text: 'draw(nobody);\n' };
      const found = faultsOf([...are(...compiled), planted]);
      expect(found).toEqual(["planted, its line 1: Cannot find name 'nobody'."]);
    },
    // A type check of the whole house takes its time where others run beside it.
    patience(120_000),
  );

  test('are sound where they are JSON or for a shell', () => {
    for (const { place, text } of are('json')) expect(() => JSON.parse(text) as unknown, place).not.toThrow();
    for (const { place, text } of are('sh')) {
      const { status, stderr } = spawnSync('sh', ['-n'], { input: text, encoding: 'utf8' });
      expect([place, status, stderr]).toEqual([place, 0, '']);
    }
  });
});
