import { useMemo, useSyncExternalStore } from 'react';
import type { Outbox, OutboxSnapshot } from '../outbox/index.ts';

/** An outbox on a page: how it stands, and what can be done about it. The functions are the same from render to render. */
export type UsedOutbox = OutboxSnapshot & Pick<Outbox, 'start' | 'act' | 'cancel' | 'withdraw' | 'dismiss' | 'retry'>;

/** Shows an outbox, and renders whenever it changed. Made and closed outside of components, like the client. */
export function useOutbox(outbox: Outbox): UsedOutbox {
  const snapshot = useSyncExternalStore(outbox.subscribe, outbox.getSnapshot, outbox.getSnapshot);
  return useMemo(() => {
    const { start, act, cancel, withdraw, dismiss, retry } = outbox;
    return { ...snapshot, start, act, cancel, withdraw, dismiss, retry };
  }, [snapshot, outbox]);
}
