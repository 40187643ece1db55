/** Whoever is told when a task was started, or removed, by a page. */
export interface Starts {
  subscribe(listener: () => void): () => void;
  /** One was. */
  note(): void;
}

/** Starts of one client in one context. */
export function createStarts(): Starts {
  const listeners = new Set<() => void>();
  return {
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    note() {
      for (const listener of [...listeners]) listener();
    },
  };
}
