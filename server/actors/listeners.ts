import type { Subscription } from 'xstate';

/** What is emitted, by its type. */
interface Typed {
  readonly type: string;
}

/** Who listens to what an actor emits. They hear on after its end, of what was asked before. */
export class Listeners<E extends Typed> {
  readonly #all = new Set<{ readonly type: string; readonly hear: (emitted: E) => void }>();

  add(type: string, hear: (emitted: E) => void): Subscription {
    const listener = { type, hear };
    this.#all.add(listener);
    return { unsubscribe: () => void this.#all.delete(listener) };
  }

  emit(emitted: E): void {
    for (const { type, hear } of [...this.#all]) {
      if (type !== '*' && type !== emitted.type) continue;
      try {
        hear(emitted);
      } catch (error) {
        // As XState does: the others hear of it all the same, and the fault is not lost.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  clear(): void {
    this.#all.clear();
  }
}
