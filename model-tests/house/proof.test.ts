import { describe, expect, test } from 'vitest';
import { missingTests } from '../../scripts/original-coverage.ts';
import { testsNamedIn } from '../../scripts/original-rows.ts';
import { textOfFile } from './project-files.ts';

/** Documents whose tables have a last column `test`: what each row promises is held by the tests that it names. */
const documents = ['docs/operations.md', 'docs/proxies.md', 'docs/security.md'];

/** The last cells of all rows below a head that ends in `test`, with what stands before them. */
function promises(text: string): { readonly row: string; readonly proof: string }[] {
  const tables = text.split(/\n(?!\|)/).filter((block) => /^\|?.*\| test \|$/m.test(block.trimStart().split('\n')[0] ?? ''));
  return tables.flatMap((table) =>
    table
      .trim()
      .split('\n')
      .slice(2)
      .map((line) => {
        const cells = line.split('|').map((cell) => cell.trim());
        return { row: cells[1] ?? '', proof: cells.at(-2) ?? '' };
      }),
  );
}

describe.each(documents)('%s', (document) => {
  const rows = promises(textOfFile(document));

  test('has a test for all that it promises', () => {
    expect(rows.length).toBeGreaterThan(5);
    expect(rows.filter(({ proof }) => testsNamedIn(proof).length === 0).map(({ row }) => row)).toEqual([]);
  });

  test('names tests that are there', () => {
    expect(rows.flatMap(({ row, proof }) => missingTests(testsNamedIn(proof)).map((why) => `${row}: ${why}`))).toEqual([]);
  });
});
