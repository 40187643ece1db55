import { abortWith, abortReason, onAbort } from '../abort.ts';
import type { Clock } from '../clock.ts';
import { aborted, TaskBridgeClientError } from '../errors.ts';

/** A signal of its own that follows others and a timer. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** Begins the time anew. */
  extend(): void;
  /** Frees timer and listeners. */
  release(): void;
}

/** Aborts when one of the signals does, or after `ms` with code `TIMEOUT`. Plain timers: `AbortSignal.timeout` may be collected unfired. */
export function createDeadline(clock: Clock, ms: number, signals: readonly (AbortSignal | undefined)[]): Deadline {
  const controller = new AbortController();
  let isReleased = false;
  const expire = (): void => abortWith(controller, new TaskBridgeClientError('TIMEOUT', `No answer within ${ms} ms.`, { retryable: true }));
  let timer = clock.setTimeout(expire, ms);
  const leaves = signals.map((signal) =>
    onAbort(signal, () => {
      clock.clearTimeout(timer);
      abortWith(controller, abortReason(signal));
    }),
  );
  return {
    signal: controller.signal,
    extend() {
      if (isReleased) return;
      clock.clearTimeout(timer);
      timer = clock.setTimeout(expire, ms);
    },
    release() {
      isReleased = true;
      clock.clearTimeout(timer);
      for (const leave of leaves) leave();
    },
  };
}

/** Rests on the client's clock; rejects with code `ABORTED` when the signal says so first. */
export function rest(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(aborted(signal));
    const timer = clock.setTimeout(() => {
      forget();
      resolve();
    }, ms);
    const forget = onAbort(signal, () => {
      clock.clearTimeout(timer);
      reject(aborted(signal));
    });
  });
}

/**
 * What was promised, or the signal's own error as soon as it aborts: what comes of the promise after that is nobody's any more. `onLeave` is
 * called then, at once.
 */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal, onLeave?: () => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const forget = onAbort(signal, () => {
      onLeave?.();
      reject(aborted(signal));
    });
    promise.then(resolve, reject).finally(forget);
  });
}
