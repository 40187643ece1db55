/** What a piece of the check came to, in tests; a step that fails counts as one. */
export interface Outcome {
  readonly passed: number;
  readonly failed: number;
}

/** All of them together. */
export function sumOf(outcomes: readonly Outcome[]): Outcome {
  return outcomes.reduce((sum, { passed, failed }) => ({ passed: sum.passed + passed, failed: sum.failed + failed }), {
    passed: 0,
    failed: 0,
  });
}
