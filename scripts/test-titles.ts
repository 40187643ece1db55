import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, posix } from 'node:path';
import ts from 'typescript';

/** Stands for a value in a title that is put together: `%s`, `$name`, `${name}`. */
const VALUE = /%[sdifjoOpc#$%]|\$[\w.]+|\0/g;

/** What a test file says in its source, with all that it imports from other files of tests: its titles, and the texts that titles are put together of. */
export interface TitleSource {
  /** Titles of `describe`, `test` and `it`; `\0` stands for an expression. */
  readonly titles: ReadonlySet<string>;
  /** Strings, names of members, and strings of JSON files in `fixtures/`. */
  readonly texts: ReadonlySet<string>;
}

interface FileSource extends TitleSource {
  readonly imports: readonly string[];
}

const files = new Map<string, FileSource>();

/** Reads a test file below the project's root, without running it; undefined where there is none. */
export function titleSourceOf(root: string, file: string): TitleSource | undefined {
  if (!existsSync(posix.join(root, file))) return undefined;
  const read = new Set([file]);
  // A set goes on to what was added to it meanwhile.
  for (const name of read) for (const imported of fileSourceOf(root, name).imports) read.add(imported);
  const all = [...read].map((name) => fileSourceOf(root, name));
  return { titles: new Set(all.flatMap(({ titles }) => [...titles])), texts: new Set(all.flatMap(({ texts }) => [...texts])) };
}

function fileSourceOf(root: string, file: string): FileSource {
  const known = files.get(file);
  if (known) return known;
  const titles = new Set<string>();
  const texts = new Set<string>();
  const text = readFileSync(posix.join(root, file), 'utf8');
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.ESNext), titles, texts);
  if (text.includes('./fixtures/')) for (const word of fixtureTexts(posix.join(root, dirname(file), 'fixtures'))) texts.add(word);
  const source = { titles, texts, imports: importsOf(text, dirname(file)).filter((name) => existsSync(posix.join(root, name))) };
  files.set(file, source);
  return source;
}

/** Could a file have a test with a title? Each `*` in it stands for any text. */
export function mayHaveTitle({ titles, texts }: TitleSource, wanted: string): boolean {
  return [...titles].some((title) => {
    if (title === wanted) return true;
    const values = title.match(VALUE)?.length ?? 0;
    if (values === 0) return false;
    const literals = title.split(VALUE).map(escaped);
    // Where a value ends is not always clear: the first guess takes little, the second much.
    return ['(.*?)', '(.*)'].some((value) => {
      const found = new RegExp(`^${literals.join(value)}$`, 's').exec(wanted);
      return found !== null && found.slice(1).every((part) => isKnown(part, texts));
    });
  });
}

/** A value is known where the source has it as a text. Numbers are believed, and what is left open: only a run tells. */
function isKnown(part: string, texts: ReadonlySet<string>): boolean {
  if (part === '' || part === '*' || /^[\d., ±-]+$/.test(part) || texts.has(part)) return true;
  const [before = '', ...open] = part.split('*');
  if (open.length > 0 && texts.has(before.replace(/\W+$/, ''))) return true;
  const wanted = new RegExp(`^${part.split('*').map(escaped).join('.*')}$`, 's');
  return [...texts].some((text) => (open.length > 0 && wanted.test(text)) || fits(text, part));
}

/** Could a text that is put together be this? */
function fits(text: string, part: string): boolean {
  if (!text.includes('\0') || text.replaceAll('\0', '').length < 2) return false;
  return new RegExp(`^${text.split('\0').map(escaped).join('.+')}$`, 's').test(part);
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

function visit(node: ts.Node, titles: Set<string>, texts: Set<string>): void {
  if (ts.isCallExpression(node) && node.arguments[0] && isTest(node.expression)) titles.add(textOf(node.arguments[0]));
  if (ts.isStringLiteralLike(node) || ts.isTemplateExpression(node)) texts.add(textOf(node));
  if ((ts.isPropertyAssignment(node) || ts.isMethodDeclaration(node)) && ts.isIdentifier(node.name)) texts.add(node.name.text);
  ts.forEachChild(node, (child) => visit(child, titles, texts));
}

/** `test`, `it.only`, `describe.each(rows)`. */
function isTest(callee: ts.Expression): boolean {
  if (ts.isIdentifier(callee)) return ['describe', 'test', 'it'].includes(callee.text);
  if (ts.isPropertyAccessExpression(callee) || ts.isCallExpression(callee)) return isTest(callee.expression);
  return ts.isTaggedTemplateExpression(callee) && isTest(callee.tag);
}

function textOf(node: ts.Expression): string {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (ts.isTemplateExpression(node)) return node.head.text + node.templateSpans.map(({ literal }) => `\0${literal.text}`).join('');
  return '\0';
}

function importsOf(text: string, folder: string): string[] {
  return [...text.matchAll(/\bfrom '(\.{1,2}\/[^']+\.ts)'/g)]
    .map(([, to = '']) => posix.join(folder, to))
    .filter((to) => to.startsWith('model-tests/'));
}

/** The names of JSON files, and the strings in them. */
function fixtureTexts(folder: string): string[] {
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.json')) : [];
  return names.flatMap((name) => [
    name.replace('.json', ''),
    ...[...readFileSync(posix.join(folder, name), 'utf8').matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, word = '']) => word),
  ]);
}
