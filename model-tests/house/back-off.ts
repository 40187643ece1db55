import ts from 'typescript';
import { placeOf } from './project-files.ts';

/** Where a file computes a back-off of its own: something doubled by how often it failed. Powers of two that are constants are none. */
export function backOffFaults(source: ts.SourceFile): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (isDoubling(node))
      found.push(`${placeOf(node)}: \`${node.getText()}\` is a back-off of its own; take \`retryDelayMs\` and a RetryPolicy`);
    node.forEachChild(visit);
  };
  visit(source);
  return found;
}

function isDoubling(node: ts.Node): boolean {
  if (ts.isPropertyAccessExpression(node)) return node.name.text === 'pow';
  if (!ts.isBinaryExpression(node)) return false;
  const { kind } = node.operatorToken;
  if (kind === ts.SyntaxKind.AsteriskAsteriskToken) return !ts.isNumericLiteral(node.right);
  if (kind === ts.SyntaxKind.AsteriskEqualsToken) return ts.isNumericLiteral(node.right) && node.right.text === '2';
  return kind === ts.SyntaxKind.AsteriskAsteriskEqualsToken;
}
