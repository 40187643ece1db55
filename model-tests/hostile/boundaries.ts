import { describe, expect, it } from 'vitest';

/** One limit: what is answered one below it, at it, and one above. */
export interface Boundary {
  /** Of several rows of one limit, which it is. */
  readonly of?: string;
  /** The limit as the row meets it: the default, or a smaller one that the row sets. */
  readonly limit: number;
  /** Readies what is asked, once a row; gives what is asked for an amount. */
  open(): BoundaryRequest | Promise<BoundaryRequest>;
  readonly answers: readonly [below: unknown, at: unknown, above: unknown];
}

/** Asks for an amount; gives what can be seen of the answer. */
export type BoundaryRequest = (amount: number) => unknown;

/** The rows of every limit of one place, by the limit's name: one without a row does not compile, and fails by name. */
export function testBoundaries<K extends string>(
  place: string,
  limits: Readonly<Record<K, unknown>>,
  rows: Readonly<Record<K, Boundary | readonly Boundary[]>>,
): void {
  describe(place, () => {
    it.each(Object.keys(limits))('has a row for %s', (name) => expect(Object.keys(rows)).toContain(name));

    for (const [name, given] of Object.entries(rows) as [K, Boundary | readonly Boundary[]][])
      for (const { of, limit, open, answers } of Array.isArray(given) ? (given as readonly Boundary[]) : [given as Boundary])
        it(`holds ${name}${of ? ` of ${of}` : ''}, tried at ${limit} ± 1`, async () => {
          const ask = await open();
          const seen: unknown[] = [];
          for (const amount of [limit - 1, limit, limit + 1]) seen.push(await ask(amount));
          expect(seen).toEqual(answers);
          // Some limits are a thousand requests away.
        });
  });
}

/** A limit that holds from the amount above it on. */
export function most(limit: number, taken: unknown, refused: unknown, open: Boundary['open'], of?: string): Boundary {
  return { limit, open, answers: [taken, taken, refused], ...(of !== undefined && { of }) };
}

/** A time at which something happens: not a millisecond before. */
export function atLast(ms: number, before: unknown, then: unknown, open: Boundary['open'], of?: string): Boundary {
  return { limit: ms, open, answers: [before, then, then], ...(of !== undefined && { of }) };
}

/** `taken`, or why a create was not. */
export const answerOf = (create: Promise<unknown>): Promise<unknown> =>
  create.then(
    () => 'taken',
    ({ code, details }: { code: string; details: { share: string } }) => `${code} ${details.share}`,
  );
