import type { Suite } from './case.ts';
import { CASE_LIMIT_MS, runCase, type Closable } from './run.ts';

/** What a suite needs of a test runner: vitest, node:test, jest and mocha all have it. */
export interface TestRunner {
  describe(name: string, define: () => void): unknown;
  it(name: string, run: () => Promise<void>, timeoutMs?: number): unknown;
}

/**
 * Defines one test for each case: `defineTests({ describe, it }, storeSuite, 'my store', open)`. A case that does not apply to the world
 * fails, unless `inapplicable` names it: so nothing is left out quietly.
 */
export function defineTests<World extends Closable>(
  { describe, it }: TestRunner,
  suite: Suite<World>,
  name: string,
  open: () => Promise<World>,
  { inapplicable = [] }: { readonly inapplicable?: readonly string[] } = {},
): void {
  describe(`${suite.name}: ${name}`, () => {
    for (const one of suite.cases) {
      const run = async (): Promise<void> => {
        const missing = await runCase(one, open);
        if ((missing !== undefined) !== inapplicable.includes(one.id))
          throw new Error(
            missing === undefined
              ? `${one.id} applies, though it was said not to.`
              : `${one.id} does not apply: ${missing} Say so by \`inapplicable\`.`,
          );
      };
      // The runner's own limit is to come after the case's, which explains itself.
      it(`${one.id}: ${one.title}`, run, (one.limitMs ?? CASE_LIMIT_MS) + 10_000);
    }
  });
}
