/** What was begun and has to be ended, the last one first; also when the bench is interrupted. */
export class CleanupStack {
  readonly #ends = new Set<() => Promise<void>>();

  /** Gives the function that ends it, which does so once. */
  add(end: () => Promise<void>): () => Promise<void> {
    const once = async (): Promise<void> => {
      if (this.#ends.delete(once)) await end();
    };
    this.#ends.add(once);
    return once;
  }

  async all(): Promise<void> {
    for (const end of [...this.#ends].reverse()) await end();
  }
}
