import type { Store } from '../../server/index.ts';

/** A store that can be made to fail, between the caller and the real one. */
export interface FaultyStore extends Store {
  /** From now on nothing reaches the store any more, as if this process had died. */
  kill(): void;
  /** The next appends are written, but their replies are lost. */
  loseReplies(count: number): void;
  /** The next appends fail before they are written. */
  failAppends(count: number): void;
}

/** Wraps a store; `shared` says that other nodes use it too. */
export function faultyStore(store: Store, options: { readonly shared?: boolean } = {}): FaultyStore {
  let isDead = false;
  let lost = 0;
  let failing = 0;
  const { lanes } = store;
  const alive = <A extends unknown[], R>(verb: (...args: A) => Promise<R>) => {
    return async (...args: A): Promise<R> => {
      if (isDead) throw new Error('This process is dead.');
      const result = await verb(...args);
      if (isDead) throw new Error('This process is dead.');
      return result;
    };
  };
  return {
    name: store.name,
    exclusive: options.shared ? false : store.exclusive,
    open: () => Promise.resolve(),
    close: () => Promise.resolve(),
    now: alive(() => store.now()),
    id: alive(() => store.id()),
    create: alive((task) => store.create(task)),
    load: alive((taskId) => store.load(taskId)),
    sideValues: alive((taskId, names) => store.sideValues(taskId, names)),
    remove: alive((taskId, requestKey, revision) => store.remove(taskId, requestKey, revision)),
    take: alive((request) => store.take(request)),
    renew: alive((node, confirmed, beat) => store.renew(node, confirmed, beat)),
    leases: alive(() => store.leases()),
    held: alive((of, limit, after) => store.held(of, limit, after)),
    dropLease: alive((of) => store.dropLease(of)),
    names: alive((owner, limit, after) => store.names(owner, limit, after)),
    glance: alive((requestKeys, fieldNames) => store.glance(requestKeys, fieldNames)),
    forget: alive((owner, name) => store.forget(owner, name)),
    count: alive((changes) => store.count(changes)),
    shares: alive((owner) => store.shares(owner)),
    setShares: alive((owner, shares, ifVersion) => store.setShares(owner, shares, ifVersion)),
    owners: alive((limit, after) => store.owners(limit, after)),
    inState: alive((state, taskType, limit, after) => store.inState(state, taskType, limit, after)),
    counts: alive(() => store.counts()),
    ...(lanes && {
      lanes: {
        flush: alive((flushes) => lanes.flush(flushes)),
        seal: alive((fence) => lanes.seal(fence)),
        readPart: alive((taskId, lane, from, bytesMax) => lanes.readPart(taskId, lane, from, bytesMax)),
        newest: alive((taskIds) => lanes.newest(taskIds)),
      },
    }),
    read: alive((taskId, from, limit) => store.read(taskId, from, limit)),
    lastEventIds: alive((taskIds) => store.lastEventIds(taskIds)),
    append: alive(async (commit) => {
      if (failing > 0) {
        failing--;
        throw new Error('The store is out of reach.');
      }
      const outcome = await store.append(commit);
      if (lost > 0) {
        lost--;
        throw new Error('The reply was lost.');
      }
      return outcome;
    }),
    tail: (listener) =>
      store.tail({
        committed: (...told) => isDead || listener.committed(...told),
        interrupted: () => isDead || listener.interrupted(),
        announced: (notice) => isDead || listener.announced?.(notice),
      }),
    kill: () => (isDead = true),
    loseReplies: (count) => (lost = count),
    failAppends: (count) => (failing = count),
  };
}
