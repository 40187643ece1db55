import type { SimulatedAnswer } from './node-server.ts';

type Read = { readonly done: false; readonly value: Uint8Array } | { readonly done: true; readonly value: undefined };

/** The body of a response, as far as the client looks at it: it comes in pieces, ends, or fails. */
export class BodyStandIn {
  readonly #chunks: Uint8Array[] = [];
  #held: Uint8Array[] = [];
  #ended = false;
  #error: { readonly error: unknown } | undefined;
  #waiting: { resolve(read: Read): void; reject(error: unknown): void } | undefined;

  /** A buffering proxy holds pieces back until the end. */
  push(bytes: Uint8Array, isHeld = false): void {
    if (isHeld) this.#held.push(bytes);
    else this.#chunks.push(bytes);
    this.#wake();
  }
  end(): void {
    this.#chunks.push(...this.#held);
    this.#held = [];
    this.#ended = true;
    this.#wake();
  }
  /** What came before can no longer be read. */
  fail(error: unknown): void {
    if (this.#ended) return;
    this.#error ??= { error };
    this.#wake();
  }

  async cancel(): Promise<void> {
    this.end();
  }

  getReader(): { read(): Promise<Read>; cancel(): Promise<void> } {
    return {
      read: () =>
        new Promise((resolve, reject) => {
          this.#waiting = { resolve, reject };
          this.#wake();
        }),
      cancel: async () => undefined,
    };
  }

  #wake(): void {
    const waiting = this.#waiting;
    if (!waiting) return;
    const chunk = this.#chunks.shift();
    if (chunk) waiting.resolve({ done: false, value: chunk });
    else if (this.#error) waiting.reject(this.#error.error);
    else if (this.#ended) waiting.resolve({ done: true, value: undefined });
    else return;
    this.#waiting = undefined;
  }
}

/** A response, as far as the client looks at it. */
export function responseOf({ status, headers }: SimulatedAnswer, body: BodyStandIn): Response {
  const stand = { status, ok: status >= 200 && status < 300, headers: { get: (name: string) => headers[name] ?? null }, body };
  // No more of it is looked at.
  return stand as unknown as Response;
}
