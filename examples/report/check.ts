import { createHash } from 'node:crypto';
import type { Column, Report } from './job/index.ts';

/**
 * Computes a report again, by other means than the job: the whole file in memory, a parser of its own, groups in a map. Believes the
 * report's rules and answer and nothing else.
 *
 * @returns one sentence for each difference; nothing for a report that is right.
 */
export function checkReport(csv: Uint8Array, report: Report, cleaned: Uint8Array): readonly string[] {
  const expected = compute(csv, report);
  const differences: string[] = [];
  const compare = (what: string, found: unknown, wanted: unknown) => {
    if (JSON.stringify(found) !== JSON.stringify(wanted))
      differences.push(`${what}: the report says ${JSON.stringify(found)}, the input says ${JSON.stringify(wanted)}.`);
  };
  compare('size of the input', report.source.bytes, csv.length);
  compare('rows', report.rows, expected.rows);
  compare('findings', report.findings, expected.findings);
  compare('groups of duplicates', report.duplicates.groups, expected.groups);
  compare('rows in them', report.duplicates.rows, expected.rowsInGroups);
  compare('totals', report.totals, expected.totals);
  compare('size of the cleaned file', report.cleaned.bytes, cleaned.length);
  compare('SHA-256 of the cleaned file', report.cleaned.sha256, createHash('sha256').update(cleaned).digest('hex'));
  const wanted = [report.rules.columns.map(({ name }) => name), ...expected.kept];
  const found = parse(textOf(cleaned), report.rules.delimiter);
  compare('rows in the cleaned file', found.length, wanted.length);
  const odd = wanted.findIndex((cells, index) => JSON.stringify(cells) !== JSON.stringify(found[index]));
  if (odd !== -1) compare(`row ${odd} of the cleaned file`, found[odd], wanted[odd]);
  return differences;
}

function compute(csv: Uint8Array, { rules, duplicates }: Report) {
  const all = parse(textOf(csv), rules.delimiter).slice(1);
  const findings = { WRONG_CELL_COUNT: 0, EMPTY_CELL: 0, BAD_NUMBER: 0, BAD_DATE: 0 };
  const good = all.filter((cells) => {
    const kinds = faults(cells, rules.columns);
    for (const kind of kinds) findings[kind] += 1;
    return kinds.length === 0;
  });
  const groups = new Map<string, number[]>();
  good.forEach((cells, index) => {
    const key = cells.filter((_, at) => rules.columns[at]?.key || rules.columns.every((column) => !column.key));
    const name = key.map((cell) => `${cell.trim().length}:${cell.trim()}`).join();
    groups.set(name, [...(groups.get(name) ?? []), index]);
  });
  const repeated = [...groups.values()].filter(({ length }) => length > 1);
  const dropped = new Set(repeated.flatMap((rows) => droppedOf(rows, duplicates)));
  const kept = good.filter((_, index) => !dropped.has(index));
  return {
    findings,
    kept,
    groups: repeated.length,
    rowsInGroups: repeated.flat().length,
    rows: { read: all.length, kept: kept.length, bad: all.length - good.length, dropped: dropped.size },
    totals: Object.fromEntries(
      rules.columns.flatMap(({ name, kind }, index) =>
        kind === 'number' ? [[name, sum(kept.map((cells) => (cells[index] ?? '').trim()))]] : [],
      ),
    ),
  };
}

function droppedOf(rows: readonly number[], { answer, place = 1 }: Report['duplicates']): readonly number[] {
  if (answer === 'keep-first') return rows.slice(1);
  if (answer === 'keep-last') return rows.slice(0, -1);
  if (answer === 'keep-nth') return rows.filter((_, index) => index !== Math.min(place, rows.length) - 1);
  return answer === 'drop-both' ? rows : [];
}

function faults(cells: readonly string[], columns: readonly Column[]) {
  if (cells.length !== columns.length) return ['WRONG_CELL_COUNT' as const];
  return columns.flatMap(({ kind, required }, index) => {
    const cell = (cells[index] ?? '').trim();
    if (cell === '') return required ? ['EMPTY_CELL' as const] : [];
    if (kind === 'number' && !isDecimal(cell)) return ['BAD_NUMBER' as const];
    return kind === 'date' && !isDay(cell) ? ['BAD_DATE' as const] : [];
  });
}

function isDecimal(cell: string): boolean {
  const [whole = '', ...fractions] = (/^[+-]/.test(cell) ? cell.slice(1) : cell).split('.');
  const areDigits = (text: string, most: number) =>
    text.length >= 1 && text.length <= most && [...text].every((digit) => digit >= '0' && digit <= '9');
  return areDigits(whole, 18) && fractions.length <= 1 && fractions.every((fraction) => areDigits(fraction, 9));
}

function isDay(cell: string): boolean {
  const day = cell.slice(0, 10);
  const date = new Date(`${day}T00:00:00Z`);
  if (Number.isNaN(date.getTime()) || date.toISOString().slice(0, 10) !== day) return false;
  if (cell.length === 10) return true;
  const [time = '', zone = ''] = cell.slice(11).split(/(?=[Z+-])/);
  const isZone =
    zone === '' || zone === 'Z' || (/^.\d\d:\d\d$/.test(zone) && Number(zone.slice(1, 3)) <= 14 && Number(zone.slice(4)) <= 59);
  const parts = time.split(':');
  const limits = [24, 60, 60];
  const areParts = parts.every(
    (part, at) => /^\d\d$/.test(at === 2 ? part.replace(/\.\d+$/, '') : part) && Number(part) < (limits[at] ?? 0),
  );
  return 'T '.includes(cell.charAt(10)) && isZone && areParts && parts.length >= 2;
}

function sum(cells: readonly string[]): string {
  const places = cells.reduce((most, cell) => Math.max(most, cell.split('.')[1]?.length ?? 0), 0);
  const total = cells
    .filter((cell) => cell !== '')
    .reduce((units, cell) => {
      const shifted = cell.replace('+', '') + (cell.includes('.') ? '' : '.') + '0'.repeat(places - (cell.split('.')[1]?.length ?? 0));
      return units + BigInt(shifted.replace('.', ''));
    }, 0n);
  const digits = String(total < 0n ? -total : total).padStart(places + 1, '0');
  const text = places === 0 ? digits : `${digits.slice(0, -places)}.${digits.slice(-places)}`.replace(/\.?0+$/, '');
  return total < 0n ? `-${text}` : text;
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
}

/** A small parser: quoted cells, doubled quotes, any line end; lines without a character are no rows. */
function parse(text: string, delimiter: string): readonly (readonly string[])[] {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = '';
  let inQuotes = false;
  let quotedAlready = false;
  const endCell = () => {
    row.push(cell);
    cell = '';
    quotedAlready = false;
  };
  const endRow = () => {
    endCell();
    if (row.length > 1 || row[0] !== '') rows.push(row);
    row = [];
  };
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at);
    const following = text.charAt(at + 1);
    if (inQuotes) {
      if (character !== '"') cell += character;
      else if (following === '"') {
        cell += '"';
        at += 1;
      } else {
        inQuotes = false;
        quotedAlready = true;
        // What goes on after its closing quote was no quoted cell: its quotes belong to it.
        if (following !== '' && following !== delimiter && following !== '\n' && following !== '\r') cell = `"${cell}"`;
      }
    } else if (character === '"' && cell === '' && !quotedAlready) inQuotes = true;
    else if (character === delimiter) endCell();
    else if (character === '\n' || character === '\r') {
      endRow();
      if (character === '\r' && following === '\n') at += 1;
    } else cell += character;
  }
  if (cell !== '' || row.length > 0 || quotedAlready) endRow();
  return rows;
}
