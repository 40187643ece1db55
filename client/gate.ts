import { onAbort } from './abort.ts';
import { aborted } from './errors.ts';
import { listen } from './network.ts';

/** The host's word on whether there is any use in trying: connectivity, visibility, a person who went offline. */
export interface Gate {
  isOpen(): boolean;
  /** Calls back on every change; returns what ends that. */
  subscribe(listener: (open: boolean) => void): () => void;
}

/** A gate that is always open. */
export const openGate: Gate = { isOpen: () => true, subscribe: () => () => undefined };

/** Resolves once the gate is open; rejects with code `ABORTED` when the signal says so first. */
export function whenOpen(gate: Gate, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.reject(aborted(signal));
  if (gate.isOpen()) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const leave = gate.subscribe((open) => {
      if (open) finish(resolve);
    });
    const forget = onAbort(signal, () => finish(() => reject(aborted(signal))));
    const finish = (then: () => void): void => {
      leave();
      forget();
      then();
    };
  });
}

/** What a browser's gate looks at. */
export interface BrowserGateOptions {
  /** Also closed while the page is hidden: nothing new is tried, live connections stay. Defaults to false. */
  readonly closedWhileHidden?: boolean;
}

/**
 * Closed while the browser says that it is offline, and, where wanted, while the page is hidden. Open where there is no browser around, and
 * for whatever that does not say.
 */
export function browserGate({ closedWhileHidden = false }: BrowserGateOptions = {}): Gate {
  const { navigator, document } = globalThis as { navigator?: { onLine?: boolean }; document?: Document };
  const page = closedWhileHidden ? document : undefined;
  const isOpen = (): boolean => navigator?.onLine !== false && page?.visibilityState !== 'hidden';
  return {
    isOpen,
    subscribe(listener) {
      let known = isOpen();
      const look = (): void => {
        if (isOpen() === known) return;
        known = !known;
        listener(known);
      };
      return listen([globalThis, 'online', look], [globalThis, 'offline', look], [page, 'visibilitychange', look]);
    },
  };
}
