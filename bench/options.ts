import { parseArgs } from 'node:util';

/** What the command line says. */
export interface BenchOptions {
  readonly quick: boolean;
  /** Measurements by name; all where none is given. */
  readonly only: readonly string[];
  /** Where the results are written to; undefined to write none. */
  readonly out: string | undefined;
}

/** Reads the command line. Throws with a sentence for what it does not know. */
export function readOptions(args: readonly string[], known: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: { quick: { type: 'boolean', default: false }, only: { type: 'string' }, out: { type: 'string' } },
  });
  const only = values.only?.split(',') ?? [];
  for (const name of only) if (!known.includes(name)) throw new Error(`There is no measurement "${name}"; there are ${known.join(', ')}.`);
  return { quick: values.quick, only, out: values.out };
}
