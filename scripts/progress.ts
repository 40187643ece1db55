import { parts, type PartName } from './parts.ts';

/** Numbers what a check does, so that those who wait see how much is left. */
export interface Progress {
  /** Says that something begins; what is returned says that it has ended. */
  readonly begin: (what: string) => () => void;
  /** Leaves out so many things that will not be done. */
  readonly skip: (count: number) => void;
}

/** How many things there are to be done for a part: its needs, its steps, its tests. */
export function countOf(name: PartName): number {
  const { needs, steps } = parts[name];
  return (needs.length > 0 ? 1 : 0) + Object.keys(steps).length + 1;
}

/** Counts over all parts of a check, and prints. */
export function progressOf(names: readonly PartName[]): Progress {
  const total = names.reduce((sum, name) => sum + countOf(name), 0);
  let ended = 0;
  return {
    begin: (what) => {
      const startedAt = performance.now();
      console.log(`  … ${what}`);
      return () => {
        ended += 1;
        console.log(`[${ended}/${total}] ${what} … ${Math.round((performance.now() - startedAt) / 1000)} s`);
      };
    },
    skip: (count) => {
      ended += count;
    },
  };
}
