import { slowness as measured } from '../conformance/suite/slowness.ts';

/** Where a process finds what another has measured: all processes of one run are equally patient. */
const MEASURED = 'TASKBRIDGE_SLOWNESS';

/**
 * How much slower this machine is than one that is idle, 1 or more. Measured once a run, by the first process that asks (Vitest's own), and
 * handed to its children by the environment.
 */
export const slowness: number = handedDown() ?? measured();
process.env[MEASURED] = String(slowness);

/**
 * How long to wait, in milliseconds, for what takes no longer than `ms` on an idle machine. It is for guards against hanging only. They cost
 * nothing while all is well, so `ms` is to be generous: others may begin to work when the measure has been taken. No test concludes anything
 * else from the time that passes outside of it.
 */
export function patience(ms: number): number {
  return Math.ceil(ms * slowness);
}

/** A wait for one thing. Below {@link TEST_MS}, so that the wait says what did not come. */
export const WAIT_MS = patience(30_000);
/** A whole test, or what is done before and after it. */
export const TEST_MS = patience(90_000);

/** Retries of a command while something is killed and started again: they end with the test, not before what they wait for is back. */
export const AGAIN_AND_AGAIN = 100_000;

function handedDown(): number | undefined {
  const given = Number(process.env[MEASURED]);
  return given >= 1 ? given : undefined;
}
