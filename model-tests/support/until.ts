/** Whatever has a snapshot and says when it changes: an observation, an outbox, the sockets of a tab. */
export interface Watchable<Snapshot> {
  getSnapshot(): Snapshot;
  subscribe(listener: () => void): (() => void) | { unsubscribe(): void };
}

/** Resolves with the first snapshot that is as wanted. */
export function until<Snapshot>(watched: Watchable<Snapshot>, wanted: (snapshot: Snapshot) => boolean): Promise<Snapshot> {
  return new Promise((resolve) => {
    const look = (): void => {
      const snapshot = watched.getSnapshot();
      if (!wanted(snapshot)) return;
      if (typeof subscription === 'function') subscription();
      else subscription.unsubscribe();
      resolve(snapshot);
    };
    const subscription = watched.subscribe(look);
    look();
  });
}
