import { aborted } from './errors.ts';

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
    const onAbort = (): void => finish(() => reject(aborted(signal)));
    const finish = (then: () => void): void => {
      leave();
      signal.removeEventListener('abort', onAbort);
      then();
    };
    signal.addEventListener('abort', onAbort);
  });
}
