import type { Gate } from './gate.ts';

/** Tells that what was connected before may be dead without a word: another network, a page that was frozen. */
export interface NetworkChanges {
  /** Calls back at each change; returns what ends that. */
  subscribe(listener: () => void): () => void;
}

/** Listens where there is something to listen to; returns what ends that. */
export function listen(
  ...heard: readonly (readonly [target: Partial<EventTarget> | undefined, type: string, hear: () => void])[]
): () => void {
  for (const [target, type, hear] of heard) target?.addEventListener?.(type, hear);
  return () => {
    for (const [target, type, hear] of heard) target?.removeEventListener?.(type, hear);
  };
}

/** What the platform says of it: `online`, a page that resumes from a freeze or comes out of the back-forward cache. Nothing elsewhere. */
export function platformChanges(): NetworkChanges {
  return {
    subscribe(listener) {
      const onShow = (event: Event): void => {
        if ((event as PageTransitionEvent).persisted) listener();
      };
      const { document } = globalThis as { document?: Document };
      return listen([globalThis, 'online', listener], [globalThis, 'pageshow', onShow as () => void], [document, 'resume', listener]);
    },
  };
}

/** The network of one client, as all its observations see it. */
export interface Network {
  /** Counts the changes: what was opened before one is not shared after it. */
  readonly changes: number;
  /** Calls back at each change, also where the gate opens again; returns what ends that. */
  subscribe(listener: () => void): () => void;
  /** Whoever asks holds what is open for dead. */
  distrust(): void;
}

/** Watches gate and changes while anybody listens. A change behind a closed gate is told when that opens. */
export function createNetwork(gate: Gate, platform: NetworkChanges): Network {
  const listeners = new Set<() => void>();
  let changes = 0;
  let isOpen = true;
  let leave: (() => void) | undefined;
  const tell = (): void => {
    changes += 1;
    for (const listener of [...listeners]) listener();
  };
  const watch = (): (() => void) => {
    isOpen = gate.isOpen();
    const leaves = [
      gate.subscribe((open) => {
        const hasOpened = open && !isOpen;
        isOpen = open;
        if (hasOpened) tell();
      }),
      platform.subscribe(() => {
        if (isOpen) tell();
      }),
    ];
    return () => leaves.forEach((end) => end());
  };
  return {
    get changes() {
      return changes;
    },
    subscribe(listener) {
      listeners.add(listener);
      leave ??= watch();
      return () => {
        listeners.delete(listener);
        if (listeners.size > 0) return;
        leave?.();
        leave = undefined;
      };
    },
    distrust() {
      changes += 1;
    },
  };
}
