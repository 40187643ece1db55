/**
 * Reads that are asked for in one turn of the event loop: who asks the same as another shares his read. Whoever came in this turn came before its end, and nothing of a turn is
 * sent before that, so that each sees all that was committed when he asked. Not on a cluster, where what is asked is sent at once.
 */
export class TurnReads<Value> {
  readonly #asked = new Map<string, Promise<Value>>();

  /** What the read gives, or the one of the same name that has not been sent yet. */
  share(name: string, read: () => Promise<Value>): Promise<Value> {
    const asked = this.#asked.get(name);
    if (asked) return asked;
    if (this.#asked.size === 0) setImmediate(() => this.#asked.clear());
    const reading = read();
    this.#asked.set(name, reading);
    return reading;
  }
}
