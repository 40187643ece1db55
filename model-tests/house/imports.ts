import { dirname, posix } from 'node:path';
import ts from 'typescript';
import { parse, placeOf } from './project-files.ts';

/** One import: who, from where, and what. */
export interface Import {
  readonly from: string;
  /** `file:line`. */
  readonly place: string;
  /** A path from the root for a file of ours, else a package's or builtin's specifier. */
  readonly to: string;
  readonly isOurs: boolean;
}

/** All imports of a file: static, re-exporting, dynamic, and those of types only. `aliases` gives the file that a specifier means. */
export function importsOf(file: string, aliases: Readonly<Record<string, string>>, text?: string): Import[] {
  const found: Import[] = [];
  const note = (specifier: ts.Node | undefined): void => {
    if (!specifier || !ts.isStringLiteralLike(specifier)) return;
    const { text: to } = specifier;
    const ours = to.startsWith('.') ? posix.join(dirname(file), to) : aliases[to];
    found.push({ from: file, place: placeOf(specifier), to: ours ?? to, isOurs: ours !== undefined });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) note(node.moduleSpecifier);
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) note(node.argument.literal);
    else if (ts.isCallExpression(node) && isLoading(node.expression)) note(node.arguments[0]);
    node.forEachChild(visit);
  };
  visit(parse(file, text));
  return found;
}

function isLoading(callee: ts.Expression): boolean {
  return callee.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(callee) && callee.text === 'require');
}
