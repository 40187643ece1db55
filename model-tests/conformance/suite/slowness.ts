import { availableParallelism, loadavg } from 'node:os';

/** Steps of arithmetic, and how long an idle core of today takes for them. */
const STEPS = 60_000_000;
const QUIET_MS = 75;
/** A machine that is slower than this is of no use, and what hangs has to fail some day. */
const SLOWNESS_MAX = 8;

let known: number | undefined;

/**
 * How much slower this process runs than on an idle machine, from 1 to 8. Measured when it is first asked, for less than a second. All limits
 * of the kit grow with it: they are there for what hangs, and nobody is to be blamed for a machine that others use as well.
 */
export function slowness(): number {
  return (known ??= measured());
}

/** By a piece of work, which a slow core stretches, and others do; and by the queue for the cores, which a short piece of work may jump. */
function measured(): number {
  const begun = performance.now();
  let state = 1;
  for (let step = 0; step < STEPS; step++) state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
  // What it came to is used, so that no compiler leaves it out.
  const stretch = (performance.now() - begun + (state & 0)) / QUIET_MS;
  const [load = 0] = loadavg();
  // Whole, so that whole milliseconds stay whole: timers and signals take no others.
  return Math.min(SLOWNESS_MAX, Math.max(1, Math.round(Math.max(stretch, load / availableParallelism()))));
}
