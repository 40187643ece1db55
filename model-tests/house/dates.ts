import ts from 'typescript';
import { placeOf } from './project-files.ts';

/** Where a file reads the date of its machine, `clock.now()`: a wait that is measured by it goes wrong when that is set. */
export function dateReads(source: ts.SourceFile): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (isDateRead(node)) found.push(placeOf(node));
    node.forEachChild(visit);
  };
  visit(source);
  return found;
}

function isDateRead(node: ts.Node): boolean {
  if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return false;
  const { name, expression: of } = node.expression;
  return name.text === 'now' && /(?:^|\.)#?(?:clock|machine|Date)$/i.test(of.getText());
}
