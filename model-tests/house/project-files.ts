import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/** Where the project is. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

/** Rooms with source files, in the order of the arrows. */
export const rooms = ['machines', 'server', 'client', 'adapters', 'model-tests', 'examples', 'bench', 'scripts'] as const;

const skipped = new Set(['node_modules', 'dist', 'coverage', '.git', '.data']);

/** All files below a folder of the project, as paths from the root with forward slashes; what is built or installed is left out. */
export function filesBelow(folder = '.'): string[] {
  const path = join(root, folder);
  return readdirSync(path, { withFileTypes: true, recursive: false }).flatMap((entry) => {
    const name = relative(root, join(path, entry.name)).split(sep).join('/');
    // What a test of the README makes for its run may be gone before it is read.
    if (entry.isDirectory()) return skipped.has(entry.name) || entry.name.startsWith('run-') ? [] : filesBelow(name);
    return entry.isFile() ? [name] : [];
  });
}

/** The folders that the build publishes. */
export function builtRooms(): readonly string[] {
  return ['tsconfig.build.json', 'tsconfig.kit.json'].flatMap(
    (name) => (JSON.parse(textOfFile(name)) as { readonly include: readonly string[] }).include,
  );
}

/** Every TypeScript file of the rooms. */
export function sourceFiles(): string[] {
  const existing = new Set(readdirSync(root));
  return rooms.filter((room) => existing.has(room)).flatMap((room) => filesBelow(room).filter((name) => /\.tsx?$/.test(name)));
}

export function textOfFile(name: string): string {
  return readFileSync(join(root, name), 'utf8');
}

/** Reads one file as a syntax tree. */
export function parse(name: string, text = textOfFile(name)): ts.SourceFile {
  return ts.createSourceFile(name, text, ts.ScriptTarget.ESNext, true);
}

/** `file:line` of a node, for messages. */
export function placeOf(node: ts.Node): string {
  const source = node.getSourceFile();
  return `${source.fileName}:${source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1}`;
}
