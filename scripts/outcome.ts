/** What a piece of the check came to, in tests; a step that fails counts as one. */
export interface Outcome {
  readonly passed: number;
  readonly failed: number;
  /** What failed, one line each: a step, or a test with the first line of its error. */
  readonly failures: readonly string[];
}

/** All of them together. */
export function sumOf(outcomes: readonly Outcome[]): Outcome {
  return {
    passed: outcomes.reduce((sum, { passed }) => sum + passed, 0),
    failed: outcomes.reduce((sum, { failed }) => sum + failed, 0),
    failures: outcomes.flatMap(({ failures }) => failures),
  };
}
