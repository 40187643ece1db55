import ts from 'typescript';
import { expect, test } from 'vitest';
import { parse, placeOf, sourceFiles } from './project-files.ts';

/** Below the doors time comes in through `Clock`; these files hold the real one. */
const isBelowTheDoors = (file: string): boolean => /^(machines|server|client|adapters)\//.test(file) && !/\/clock\.ts$/.test(file);

test('nothing below the doors takes the present by itself', () => {
  expect(
    sourceFiles()
      .filter(isBelowTheDoors)
      .flatMap((file) => presentsOf(file)),
  ).toEqual([]);
});

test.each([['const now = new Date();'], ['f(() => new Date);']])('sees the present taken in `%s`', (text) => {
  expect(presentsOf('server/a.ts', text)).toEqual(['server/a.ts:1: takes the present: take `Clock`, so that a simulation can own it']);
});

test('a moment that is given may be read', () => {
  expect(presentsOf('server/a.ts', 'new Date(0); new Date(atMs); Date.parse(text);')).toEqual([]);
});

/** Each `new Date()` of a file. The linter knows the other ways to the present, and has no rule for this one. */
function presentsOf(file: string, text?: string): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isNewExpression(node) && node.expression.getText() === 'Date' && !node.arguments?.length)
      found.push(`${placeOf(node)}: takes the present: take \`Clock\`, so that a simulation can own it`);
    node.forEachChild(visit);
  };
  visit(parse(file, text));
  return found;
}
