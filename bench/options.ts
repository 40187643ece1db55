import { parseArgs } from 'node:util';

/** What the command line says. */
export interface BenchOptions {
  readonly quick: boolean;
  /** Measurements by name; all where none is given. */
  readonly only: readonly string[];
  /** Rows whose names hold this text; all where nothing is said. */
  readonly row: string;
  /** Who is profiled; its processes write `.data/bench/profiles`, and are slower for it. */
  readonly profile: string | undefined;
  /** Where the results are written to; undefined to write none. */
  readonly out: string | undefined;
  /** How often each is measured; undefined for what each measurement takes by itself. */
  readonly rounds: number | undefined;
  /** Nobody is measured but ours. */
  readonly alone: boolean;
  /** The commit that this checkout is compared with, as git names it; undefined for none. */
  readonly check: string | undefined;
}

/** Reads the command line. Throws with a sentence for what it does not know. */
export function readOptions(args: readonly string[], known: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      alone: { type: 'boolean', default: false },
      check: { type: 'string' },
      only: { type: 'string' },
      out: { type: 'string' },
      profile: { type: 'string' },
      rounds: { type: 'string' },
      row: { type: 'string', default: '' },
    },
  });
  const only = values.only?.split(',') ?? [];
  for (const name of only) if (!known.includes(name)) throw new Error(`There is no measurement "${name}"; there are ${known.join(', ')}.`);
  const { quick, alone, check, out, profile, row } = values;
  const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
  if (rounds !== undefined && !(Number.isInteger(rounds) && rounds > 0))
    throw new Error(`--rounds is a whole number above 0, not "${values.rounds}".`);
  return { quick, alone, check, only, out, profile, row, rounds };
}
