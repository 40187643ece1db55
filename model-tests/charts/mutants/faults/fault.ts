/** One fault that somebody thought of: what is wrong then, the words of the source that are changed, and what stands there instead. */
export interface Fault {
  readonly says: string;
  /** The first such words after `after`; line breaks and the space of each count as one space. */
  readonly from: string;
  readonly to: string;
  /** Words before them, where they are not the first of their kind. */
  readonly after?: string;
  /** Why nobody could see it, where that is so. */
  readonly alike?: string;
}

/** Faults of one file, as one chart shows them. */
export interface FaultsOf {
  /** The chart that is judged. */
  readonly chart: string;
  /** From the root of the project. */
  readonly file: string;
  /** The file of the chart, where that is another. */
  readonly entry?: string;
  readonly faults: readonly Fault[];
}

/** One fault. */
export const fault = (says: string, from: string, to: string, after = ''): Fault => ({ says, from, to, after });

/** One that changes nothing, and why. */
export const alike = (reason: string, one: Fault): Fault => ({ ...one, alike: reason });

/** The source with the fault in it; throws where the words are not there. */
export function withFault(source: string, { says, from, to, after = '' }: Fault): string {
  const begin = after === '' ? 0 : placeOf(source, after, 0).end;
  const { at, end } = placeOf(source, from, begin);
  if (at < 0) throw new Error(`There is nothing to change for “${says}”.`);
  return source.slice(0, at) + to + source.slice(end);
}

function placeOf(source: string, words: string, begin: number): { readonly at: number; readonly end: number } {
  const escaped = words
    .trim()
    .split(/\s+/u)
    .map((word) => word.replace(/[$()*+.?[\\\]^{|}]/gu, '\\$&'));
  const pattern = new RegExp(escaped.join('\\s+'), 'gu');
  pattern.lastIndex = begin;
  const found = pattern.exec(source);
  if (!found) return { at: -1, end: begin };
  return { at: found.index, end: found.index + found[0].length };
}
