import type { LaneFlush, Lanes, Store } from '../../server/ports/index.ts';
import { withFrames } from './planted-client-part-bugs.ts';
import type { PlantedBug } from './planted-bug.ts';

/** A store that does some flushes of values in another way. */
function withValueFlush(store: Store, change: (flush: LaneFlush, lanes: Lanes) => ReturnType<Lanes['flush']> | undefined): Store {
  const { lanes } = store;
  if (!lanes) return store;
  return {
    ...store,
    lanes: {
      ...lanes,
      flush: async (flushes) => {
        const outcomes = flushes.map((flush) => (flush.fence.latest && change(flush, lanes)) || lanes.flush([flush]));
        return (await Promise.all(outcomes)).flat();
      },
    },
  };
}

/** Bugs of values that are replaced, each planted from outside the product. */
export const plantedValueBugs: Readonly<Record<string, PlantedBug>> = {
  /** Says of some values that they are there, and leaves them out. */
  'drops the last value that waits': {
    way(store) {
      let count = 0;
      return withValueFlush(store, () => ((count += 1) % 3 === 0 ? Promise.resolve(['ok']) : undefined));
    },
  },
  /** Writes the value of before as the newest one, once in a while. */
  'replaces a value by an older one': {
    way(store) {
      const before = new Map<string, Uint8Array>();
      let count = 0;
      return withValueFlush(store, (flush, lanes) => {
        const { lane, taskId } = flush.fence;
        const bytes = before.get(`${taskId} ${lane}`);
        if (!before.has(`${taskId} ${lane}`) || flush.at < 2) before.set(`${taskId} ${lane}`, flush.bytes.slice());
        count += 1;
        return bytes && flush.at > 2 && count % 3 === 0 ? lanes.flush([{ ...flush, bytes }]) : undefined;
      });
    },
  },
  /** Takes what comes first on a new connection for newer than all that it has. */
  'shows the value of before as a newer one': withFrames((record) => {
    const first = new Map<number, string>();
    return (frame, connection) => {
      const { part, text } = frame;
      const old = first.get(part);
      if (frame.kind === 'latest' && old === undefined) first.set(part, text);
      return record.frame(frame.kind === 'latest' && old !== undefined ? { ...frame, text: old } : frame, connection);
    };
  }),
};
