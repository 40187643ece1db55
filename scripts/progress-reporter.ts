import type { Reporter, TestModule, TestSpecification } from 'vitest/node';

/** How often a run of tests says how far it is. */
const EVERY_MS = 15_000;

/** Says how far the tests are while they run, and at which files: the others speak when a file has ended, which may take minutes. */
export default class ProgressReporter implements Reporter {
  readonly #running = new Set<string>();
  #files = 0;
  #filesEnded = 0;
  #testsEnded = 0;
  #timer: NodeJS.Timeout | undefined;

  onTestRunStart(specifications: readonly TestSpecification[]): void {
    this.#files = specifications.length;
    this.#timer = setInterval(() => this.#tell(), EVERY_MS).unref();
  }

  onTestModuleStart({ relativeModuleId }: TestModule): void {
    this.#running.add(relativeModuleId);
  }

  onTestCaseResult(): void {
    this.#testsEnded += 1;
  }

  onTestModuleEnd({ relativeModuleId }: TestModule): void {
    this.#running.delete(relativeModuleId);
    this.#filesEnded += 1;
  }

  onTestRunEnd(): void {
    clearInterval(this.#timer);
  }

  #tell(): void {
    console.log(`  … ${this.#testsEnded} tests, ${this.#filesEnded} of ${this.#files} files, now at ${[...this.#running].join(' and ')}`);
  }
}
