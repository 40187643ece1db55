import { posix } from 'node:path';
import ts from 'typescript';
import { parse } from './project-files.ts';

/** What GLOSSARY.md says: the words that names are made of, and those that none is made of, each with the one to say instead. */
export interface Glossary {
  readonly words: ReadonlySet<string>;
  readonly avoided: ReadonlyMap<string, string>;
}

/** Reads the tables: words in bold or in code from the first column, plain words between commas from the third. */
export function glossaryOf(markdown: string): Glossary {
  const words = new Set<string>();
  const avoided = new Map<string, string>();
  for (const line of markdown.split('\n')) {
    const [, term, , not] = line.split('|').map((cell) => cell.trim());
    if (term === undefined || not === undefined || term === 'word' || /^-+$/.test(term)) continue;
    const said = [...term.matchAll(/\*\*(.+?)\*\*|`(.+?)`/g)].map(([, bold, code]) => bold ?? code ?? '');
    for (const word of said.flatMap(partsOf)) words.add(word);
    for (const word of not.split(',').map((one) => one.trim())) if (word !== '') avoided.set(word, said.join(' or '));
  }
  return { words, avoided };
}

/** The words of a name, in lower case: `TaskRecord`, `task-record.ts` and `TASK_RECORD` have the same ones. */
export function partsOf(name: string): string[] {
  return (name.match(/[A-Z]+(?![a-z])|[A-Z]?[a-z]+/g) ?? []).map((part) => part.toLowerCase());
}

/** The names that a file declares and exports; what it passes on from another is not among them. */
export function declaredExports(file: string, text?: string): string[] {
  return parse(file, text).statements.flatMap((statement) => {
    if (!ts.canHaveModifiers(statement)) return [];
    if (!ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) return [];
    if (ts.isVariableStatement(statement)) return statement.declarationList.declarations.flatMap(({ name }) => boundNames(name));
    const { name } = statement as ts.DeclarationStatement;
    return name ? [name.text] : [];
  });
}

function boundNames(name: ts.BindingName): string[] {
  if (ts.isIdentifier(name)) return [name.text];
  return name.elements.flatMap((element) => (ts.isBindingElement(element) ? boundNames(element.name) : []));
}

/** Names that more than one room declares, each with its rooms: which one is meant has to be looked up. */
export function sharedNames(declared: Readonly<Record<string, readonly string[]>>): string[] {
  const roomsOf = new Map<string, string[]>();
  for (const [room, names] of Object.entries(declared))
    for (const name of new Set(names)) roomsOf.set(name, [...(roomsOf.get(name) ?? []), room]);
  return [...roomsOf].flatMap(([name, rooms]) => (rooms.length > 1 ? [`${name}: ${rooms.join(', ')}`] : []));
}

/** Files and folders whose name has a word that is not known. A plural is known with its word. */
export function unknownWords(paths: readonly string[], known: ReadonlySet<string>): string[] {
  const isKnown = (word: string): boolean => known.has(word) || (word.endsWith('s') && known.has(word.slice(0, -1)));
  const names = new Set(paths.flatMap((path) => path.split('/').map((name) => name.replace(/\.tsx?$/, ''))));
  return [...names].flatMap((name) => {
    const unknown = name.split(/[-.]/).filter((word) => word !== '' && !isKnown(word));
    return unknown.map((word) => `${name}: ${word}`);
  });
}

/** Names that are made of a word that the glossary has another for, each with that one. */
export function avoidedNames(names: readonly string[], avoided: Glossary['avoided']): string[] {
  return names.flatMap((name) => {
    const text = ` ${partsOf(name).join(' ')} `;
    return [...avoided].flatMap(([word, instead]) => (text.includes(` ${word} `) ? [`${name}: ${word} is called ${instead}`] : []));
  });
}

/** What is wrong with a door: names that come through a star, or more of them than somebody can look through. */
export function doorFaults(file: string, namesMax: number, text?: string): string[] {
  const source = parse(file, text);
  let count = declaredExports(file, text).length;
  const faults: string[] = [];
  for (const statement of source.statements) {
    if (!ts.isExportDeclaration(statement)) continue;
    const { exportClause, moduleSpecifier } = statement;
    if (exportClause && ts.isNamedExports(exportClause)) count += exportClause.elements.length;
    else faults.push(`${file}: everything of ${moduleSpecifier?.getText(source) ?? '?'} comes through a star`);
  }
  return count > namesMax ? [...faults, `${file}: ${count} names`] : faults;
}

/** The room of a file whose names others import; undefined for files of none. */
export function publicRoomOf(file: string, rooms: readonly string[]): string | undefined {
  return rooms.find((room) => file.startsWith(posix.join(room, '/')));
}
