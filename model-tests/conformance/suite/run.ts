import { AssertionError } from 'node:assert';
import { platformClock } from 'taskbridge/client';
import type { Case, Suite } from './case.ts';
import { slowness } from './slowness.ts';
import { withTranscript } from './transcript.ts';

/** What a case runs in; closed when the case is over. */
export interface Closable {
  close?(): Promise<void>;
}

/** What came of one case. */
export interface CaseResult {
  readonly id: string;
  readonly title: string;
  /** `inapplicable`: the world lacks what the case needs; `why` says what. */
  readonly outcome: 'passed' | 'failed' | 'inapplicable';
  /** What was expected, what was there, and the rule; only where it did not pass. */
  readonly why?: string;
  readonly error?: unknown;
  readonly better: boolean;
  readonly ms: number;
}

/** How {@link runSuite} goes about it. */
export interface RunOptions {
  /** Cases that run at once; those that are to be alone come one by one after them. Defaults to 1. */
  readonly atOnce?: number;
  /** Only the cases whose ids this accepts. */
  readonly only?: (id: string) => boolean;
  /** Hears of each result as it is there. */
  readonly onResult?: (result: CaseResult) => void;
}

const CASE_LIMIT_MS = 20_000;

/** How long a case may take on this machine, in milliseconds. */
export const limitOf = ({ limitMs = CASE_LIMIT_MS }: Pick<Case<never>, 'limitMs'>): number => limitMs * slowness();

/** Runs a suite without any test runner. Each case gets a world of its own. Resolves with one result for each case, in their order. */
export async function runSuite<World extends Closable>(
  suite: Suite<World>,
  open: () => Promise<World>,
  { atOnce = 1, only = () => true, onResult }: RunOptions = {},
): Promise<CaseResult[]> {
  const cases = suite.cases.filter(({ id }) => only(id));
  const results: CaseResult[] = [];
  async function take(one: Case<World>): Promise<void> {
    const result = await resultOf(one, open);
    results[cases.indexOf(one)] = result;
    onResult?.(result);
  }
  const waiting = cases.filter(({ alone }) => !alone);
  async function work(): Promise<void> {
    for (let one = waiting.shift(); one; one = waiting.shift()) await take(one);
  }
  await Promise.all(Array.from({ length: atOnce }, work));
  for (const one of cases.filter(({ alone }) => alone)) await take(one);
  return results;
}

async function resultOf<World extends Closable>(one: Case<World>, open: () => Promise<World>): Promise<CaseResult> {
  const startedAt = platformClock.now();
  const about = { id: one.id, title: one.title, better: one.better ?? false };
  const ms = (): number => platformClock.now() - startedAt;
  try {
    const missing = await runCase(one, open);
    return missing === undefined
      ? { ...about, outcome: 'passed', ms: ms() }
      : { ...about, outcome: 'inapplicable', why: missing, ms: ms() };
  } catch (error) {
    return { ...about, outcome: 'failed', why: error instanceof Error ? error.message : String(error), error, ms: ms() };
  }
}

/**
 * Runs one case in a world of its own, and gives what is missing where it does not apply. Rejects with an `AssertionError` that says what was
 * expected, which rule asks for it, and what went over the wire before; a case that takes longer than its limit fails.
 */
export async function runCase<World extends Closable>(one: Case<World>, open: () => Promise<World>): Promise<string | undefined> {
  const world = await open();
  try {
    return await withTranscript(async (transcript) => {
      try {
        const missing = await one.missing?.(world);
        if (missing !== undefined) return missing;
        await within(limitOf(one), one.run(world));
        return undefined;
      } catch (error) {
        throw explained(one, error, transcript());
      }
    });
  } finally {
    await world.close?.();
  }
}

/** Rejects when the promise takes longer. */
export async function within<T>(limitMs: number, promise: Promise<T>, what = 'it'): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new AssertionError({ message: `${what} took longer than ${Math.round(limitMs)} ms` })), limitMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * The error with the case, its rule and what went over the wire last in the message; what was compared stays, for the differences that a test
 * runner shows.
 */
function explained({ id, title, rule }: Case<never>, error: unknown, lines: readonly string[]): AssertionError {
  const { message, actual, expected } =
    error instanceof AssertionError ? error : { message: String(error), actual: undefined, expected: undefined };
  const wire = lines.length === 0 ? '' : `\n  on the wire, at last:\n    ${lines.join('\n    ')}`;
  const told = new AssertionError({ message: `${id}: ${title}\n  ${message}\n  rule: ${rule}${wire}`, actual, expected });
  told.cause = error;
  return told;
}
