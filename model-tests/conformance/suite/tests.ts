import type { Case, Suite } from './case.ts';
import { limitOf, runCase, runSuite, type CaseResult, type Closable } from './run.ts';

/** What a suite needs of a test runner: vitest, node:test, jest and mocha all have it. */
export interface TestRunner {
  describe(name: string, define: () => void): unknown;
  it(name: string, run: () => Promise<void>, timeoutMs?: number): unknown;
}

/** How {@link defineTests} goes about it. */
export interface TestOptions {
  /** The cases that do not apply to the world: ids, or the name of a group for all of its cases. */
  readonly inapplicable?: readonly string[];
  /**
   * Cases that run at once, as {@link runSuite} has it; the first test sets all going, the others wait for their results. Defaults to 1: each
   * test runs its own case.
   */
  readonly atOnce?: number;
}

/** The runner's own limit is to come after the case's, which explains itself. */
const GRACE_MS = 10_000;

/**
 * Defines one test for each case: `defineTests({ describe, it }, storeSuite, 'my store', open)`. A case that does not apply to the world
 * fails, unless `inapplicable` names it: so nothing is left out quietly.
 */
export function defineTests<World extends Closable>(
  { describe, it }: TestRunner,
  suite: Suite<World>,
  name: string,
  open: () => Promise<World>,
  { inapplicable = [], atOnce = 1 }: TestOptions = {},
): void {
  const together = atOnce > 1 ? allAtOnce(suite, open, atOnce) : undefined;
  // Those that are alone come last, also among those that run at once.
  const cases = together ? [...suite.cases].sort((a, b) => Number(a.alone ?? false) - Number(b.alone ?? false)) : suite.cases;
  describe(`${suite.name}: ${name}`, () => {
    for (const one of cases) {
      const run = async (): Promise<void> => {
        const missing = await (together ? together(one) : runCase(one, open));
        const isNamed = inapplicable.includes(one.id) || inapplicable.includes(one.id.replace(/\..*/, ''));
        if ((missing !== undefined) !== isNamed)
          throw new Error(
            missing === undefined
              ? `${one.id} applies, though it was said not to.`
              : `${one.id} does not apply: ${missing} Say so by \`inapplicable\`.`,
          );
      };
      it(`${one.id}: ${one.title}`, run, (together ? 2 : 1) * limitOf(one) + GRACE_MS);
    }
  });
}

/** Runs the whole suite when the first result is asked for. Gives what each case came to, as `runCase` does. */
function allAtOnce<World extends Closable>(suite: Suite<World>, open: () => Promise<World>, atOnce: number) {
  const results = new Map<string, { readonly promise: Promise<CaseResult>; readonly resolve: (result: CaseResult) => void }>();
  for (const { id } of suite.cases) {
    let resolve: (result: CaseResult) => void = () => undefined;
    results.set(id, { promise: new Promise((done) => (resolve = done)), resolve });
  }
  let isRunning = false;
  return async ({ id }: Case<World>): Promise<string | undefined> => {
    if (!isRunning) void runSuite(suite, open, { atOnce, onResult: (result) => results.get(result.id)?.resolve(result) });
    isRunning = true;
    const result = await results.get(id)?.promise;
    if (result?.outcome === 'failed') throw result.error;
    return result?.outcome === 'inapplicable' ? result.why : undefined;
  };
}
