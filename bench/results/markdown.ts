import { ratios, spreadOf, type Spread } from '../statistics.ts';
import type { Figures, Row, Section } from './row.ts';
import { barResultsOf } from './bar-result.ts';

/** All sections as tables. */
export function markdownOf(sections: readonly Section[]): string {
  return sections.map((section) => `### ${section.title}\n\n${tableOf(section)}\n`).join('\n');
}

/** One section as a table of Markdown; columns that nobody filled are left out. */
export function tableOf({ rows }: Section): string {
  const columns: readonly { readonly head: string; readonly cell: (row: Row) => string }[] = [
    { head: '', cell: ({ name, unit }) => `${name}, ${unit}` },
    { head: 'TaskBridge', cell: ({ figures }) => figureOf(figures.ours) },
    { head: 'bare', cell: ({ figures }) => figureOf(bareOf(figures)) },
    { head: 'bare, joined', cell: ({ figures }) => figureOf(figures.bareJoined) },
    { head: 'Socket.IO', cell: ({ figures }) => figureOf(figures.socketIo) },
    { head: 'original', cell: ({ figures }) => figureOf(figures.original) },
    { head: '÷ bare', cell: ({ figures }) => ratioOf(figures.ours, bareOf(figures)) },
    { head: '÷ joined', cell: ({ figures }) => ratioOf(figures.ours, figures.bareJoined) },
    { head: '÷ Socket.IO', cell: ({ figures }) => ratioOf(figures.ours, figures.socketIo) },
    { head: '÷ original', cell: ({ figures }) => ratioOf(figures.ours, figures.original) },
    { head: '÷ first row', cell: ({ figures }) => ratioOf(figures.ours, figures.first) },
    { head: 'bar', cell: barsOf },
  ];
  const filled = columns.filter(({ cell }) => rows.some((row) => cell(row) !== ''));
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    line(filled.map(({ head }) => head)),
    line(filled.map(({ head }) => (head === '' ? '---' : '---:'))),
    ...rows.map((row) => line(filled.map(({ cell }) => cell(row)))),
  ].join('\n');
}

/** A figure as people read it. */
export function readable(figure: number): string {
  if (Number.isInteger(figure) && figure < 1000) return String(figure);
  if (figure >= 1_000_000) return `${(figure / 1_000_000).toFixed(2)} M`;
  if (figure >= 10_000) return `${Math.round(figure / 1000)} k`;
  if (figure >= 1000) return `${(figure / 1000).toFixed(1)} k`;
  if (figure >= 100) return figure.toFixed(0);
  return figure >= 10 ? figure.toFixed(1) : figure.toFixed(2);
}

function spread({ min, median, max }: Spread, show: (figure: number) => string): string {
  return min === max ? show(median) : `**${show(median)}** (${show(min)}–${show(max)})`;
}

function bareOf({ bareWs, bareHttp, bareLmdb, bareStart, bareTemporal }: Figures): readonly number[] | undefined {
  return bareWs ?? bareHttp ?? bareLmdb ?? bareStart ?? bareTemporal;
}

function figureOf(figures: readonly number[] | undefined): string {
  return figures ? spread(spreadOf(figures), readable) : '';
}

function ratioOf(ours: readonly number[] | undefined, theirs: readonly number[] | undefined): string {
  return ours && theirs ? spread(spreadOf(ratios(ours, theirs)), readable) : '';
}

function barsOf(row: Row): string {
  return barResultsOf(row)
    .map(({ bar: { atLeast, atMost, by }, judged, holds }) => {
      const wanted = atLeast === undefined ? `≤ ${atMost}` : `≥ ${atLeast}`;
      return `${wanted}${by === 'difference' ? ' more' : ''} ${holds ? '✓' : `✗ ${readable(judged.median)}`}`;
    })
    .join(', ');
}
