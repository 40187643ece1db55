import { isDate, isNumber, shortened } from './cell.ts';
import type { Rules } from './rules.ts';

/** What can be wrong with a row. */
export const findingKinds = ['WRONG_CELL_COUNT', 'EMPTY_CELL', 'BAD_NUMBER', 'BAD_DATE'] as const;
/** What can be wrong with a row. */
export type FindingKind = (typeof findingKinds)[number];

/** One thing that is wrong with one row. */
export interface Finding {
  readonly kind: FindingKind;
  readonly text: string;
}

/** Looks at one row: gives everything that is wrong with it, nothing for a good one. */
export function examine(cells: readonly string[], line: number, { columns }: Rules): readonly Finding[] {
  if (cells.length !== columns.length)
    return [{ kind: 'WRONG_CELL_COUNT', text: `Line ${line}: ${cells.length} cells where the header has ${columns.length}.` }];
  const findings: Finding[] = [];
  columns.forEach(({ name, kind, required }, index) => {
    const cell = (cells[index] ?? '').trim();
    if (cell === '') {
      if (required) findings.push({ kind: 'EMPTY_CELL', text: `Line ${line}: ${shortened(name)} is empty.` });
    } else if (kind === 'number' && !isNumber(cell))
      findings.push({ kind: 'BAD_NUMBER', text: `Line ${line}: ${shortened(name)} is "${shortened(cell)}", which is no number.` });
    else if (kind === 'date' && !isDate(cell))
      findings.push({ kind: 'BAD_DATE', text: `Line ${line}: ${shortened(name)} is "${shortened(cell)}", which is no date.` });
  });
  return findings;
}
