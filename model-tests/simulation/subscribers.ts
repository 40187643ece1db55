/** Those who are told of something until they leave. */
export class Subscribers<Told extends readonly unknown[]> {
  readonly #listeners = new Set<(...told: Told) => void>();

  add(listener: (...told: Told) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  tell(...told: Told): void {
    for (const listener of [...this.#listeners]) listener(...told);
  }

  clear(): void {
    this.#listeners.clear();
  }
}
