import { createDeadline, unlessAborted } from '../commands/deadline.ts';
import type { Clock } from '../clock.ts';
import { aborted, type TaskBridgeClientError } from '../errors.ts';
import type { CheckpointStore } from './store.ts';

/** The longest that is waited for a store. Facts are there within eight seconds, whatever it does. */
const STORE_MS_MAX = 5_000;

/**
 * The same store, but nobody waits for it for ever: a database whose deletion another page holds up answers neither with a value nor with an error.
 * Rejects with code `TIMEOUT` then, and at once as long as what it was asked for is still under way, so that a write never overtakes an older one. A read
 * ends with `life`; what is written is waited for.
 */
export function patientStore(store: CheckpointStore, clock: Clock, life: AbortSignal): CheckpointStore {
  /** Why it was not waited for, as long as it has not answered. */
  let lateness: TaskBridgeClientError | undefined;

  async function inTime<T>(ask: () => Promise<T>, until?: AbortSignal): Promise<T> {
    if (lateness) throw lateness;
    const { signal, release } = createDeadline(clock, STORE_MS_MAX, [until]);
    try {
      const answer = ask();
      return await unlessAborted(answer, signal, () => {
        lateness = aborted(signal);
        const forget = (): void => void (lateness = undefined);
        answer.then(forget, forget);
      });
    } finally {
      release();
    }
  }

  return {
    read: (key) => inTime(() => store.read(key), life),
    write: (key, text) => inTime(() => store.write(key, text)),
    remove: (key) => inTime(() => store.remove(key)),
  };
}
