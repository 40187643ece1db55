/** Told what became of one claim to a lock. */
export interface LockListener {
  /** It is ours now. */
  held(): void;
  /** It was ours; somebody stole it. */
  lost(): void;
  /** The platform gives no locks here, or somebody has one that was wanted only if it is free; nothing more is told. */
  refused(): void;
}

/** Locks that one holder has at a time, whoever asks for them: tabs, workers, or parts of one process. */
export interface LockPort {
  /**
   * Queues for the lock of this name, takes it away from its holder at once (`steal`), or has it only where nobody has it (`ifFree`). Never tells
   * anything before it has returned. Returns what gives the lock up or leaves the queue; nothing is told after that.
   */
  claim(name: string, listener: LockListener, options?: { readonly steal?: boolean; readonly ifFree?: boolean }): () => void;
}

/** The part of the platform's `LockManager` that is used. */
export interface WebLocks {
  request(
    name: string,
    options: { readonly steal?: boolean; readonly ifAvailable?: boolean; readonly signal?: AbortSignal },
    hold: (lock: object | null) => Promise<void> | undefined,
  ): Promise<unknown>;
}

/** The Web Locks of a browser: shared by all tabs and workers of one origin, and let go when a tab ends in whatever way. */
export function webLocks(locks: WebLocks): LockPort {
  return {
    claim(name, listener, { steal = false, ifFree = false } = {}) {
      const queue = new AbortController();
      let release: (() => void) | undefined;
      let isOver = false;
      const hold = (lock: object | null): Promise<void> | undefined => {
        if (isOver) return undefined;
        if (!lock) {
          isOver = true;
          listener.refused();
          return undefined;
        }
        return new Promise((resolve) => {
          release = resolve;
          listener.held();
        });
      };
      // They exclude each other: who does not queue leaves no queue.
      locks.request(name, steal ? { steal } : ifFree ? { ifAvailable: true } : { signal: queue.signal }, hold).catch(() => {
        if (isOver) return;
        isOver = true;
        if (release) listener.lost();
        else listener.refused();
      });
      return () => {
        isOver = true;
        queue.abort();
        release?.();
      };
    },
  };
}

interface Claim {
  readonly listener: LockListener;
  isOver: boolean;
}

/** Locks within one process: for Node, React Native and tests. First come, first served. */
export function processLocks(): LockPort {
  const queues = new Map<string, Claim[]>();

  function tellFirst(queue: readonly Claim[]): void {
    const [first] = queue;
    if (!first) return;
    queueMicrotask(() => {
      if (!first.isOver && queue[0] === first) first.listener.held();
    });
  }

  return {
    claim(name, listener, { steal = false, ifFree = false } = {}) {
      const queue = queues.get(name) ?? [];
      if (ifFree && queue.length > 0) {
        queueMicrotask(() => listener.refused());
        return () => undefined;
      }
      queues.set(name, queue);
      const claim: Claim = { listener, isOver: false };
      if (steal) {
        const robbed = queue.shift();
        queue.unshift(claim);
        if (robbed) {
          robbed.isOver = true;
          queueMicrotask(() => robbed.listener.lost());
        }
      } else queue.push(claim);
      if (queue[0] === claim) tellFirst(queue);
      return () => {
        claim.isOver = true;
        const place = queue.indexOf(claim);
        if (place < 0) return;
        queue.splice(place, 1);
        if (place === 0) tellFirst(queue);
        if (queue.length === 0) queues.delete(name);
      };
    },
  };
}

/** The Web Locks of this platform; undefined where there are none (React Native, older Nodes). */
export function platformLocks(): LockPort | undefined {
  const { navigator } = globalThis as { navigator?: { readonly locks?: WebLocks } };
  return navigator?.locks && webLocks(navigator.locks);
}
