import { isSameFence } from '../../adapters/memory/lane-rules.ts';
import type { Entry, LaneFlush, Lanes, Store } from '../../server/ports/index.ts';
import type { PlantedBug } from './planted-bug.ts';
import { plantedValueBugs } from './planted-value-bugs.ts';
import { plantedClientPartBugs } from './planted-client-part-bugs.ts';
import { withViewers } from './planted-viewer.ts';

/** A store whose lanes do some things in another way. */
function withLanes(store: Store, change: (lanes: Lanes) => Partial<Lanes>): Store {
  return store.lanes ? { ...store, lanes: { ...store.lanes, ...change(store.lanes) } } : store;
}

function says({ bytes }: Entry, pattern: RegExp): boolean {
  return pattern.test(Buffer.from(bytes).toString('utf8'));
}

/** A flush as two, which part within a character; undefined where it has none that is longer than a byte. */
function halves({ fence, at, bytes }: LaneFlush): readonly [LaneFlush, LaneFlush] | undefined {
  const cut = bytes.findIndex((byte) => (byte & 0xc0) === 0x80);
  return cut < 0
    ? undefined
    : [
        { fence, at, bytes: bytes.slice(0, cut) },
        { fence, at: at + cut, bytes: bytes.slice(cut) },
      ];
}

/** Bugs of parts, each planted from outside the product. */
export const plantedPartBugs: Readonly<Record<string, PlantedBug>> = {
  /** Writes to an open lane for whoever comes. */
  'writes parts past their fence': {
    store: (store, memory) =>
      withLanes(store, (lanes) => ({
        flush(flushes) {
          const unfenced = flushes.map((flush) => {
            const row = memory.tasks.get(flush.fence.taskId)?.lanes.get(flush.fence.lane);
            if (!row?.isOpen || isSameFence(row.fence, flush.fence)) return flush;
            return { ...flush, fence: row.fence, at: row.length };
          });
          return lanes.flush(unfenced);
        },
      })),
  },
  /** Reads on from the last byte that was shown. */
  'is off by one where it goes on in a part': {
    way: (store) =>
      withLanes(store, (lanes) => ({
        readPart: (taskId, lane, from, bytesMax) => lanes.readPart(taskId, lane, Math.max(0, from - 1), bytesMax),
      })),
  },
  /** Lets every part go on that a run left open. */
  'leaves a part open after a crash': {
    way: (store) => ({
      ...store,
      async load(taskId) {
        const loaded = await store.load(taskId);
        const lanes = loaded?.fields['lanes'];
        if (!loaded || lanes === undefined) return loaded;
        return { ...loaded, fields: { ...loaded.fields, lanes: lanes.replaceAll('"attempt":', '"onRerun":"continue","attempt":') } };
      },
    }),
  },
  /** Shows the newest text of a part once more when it was abandoned. */
  'shows text of an attempt that another has replaced': {
    hub: withViewers((viewer) => {
      let newest: readonly Entry[] | undefined;
      return {
        parts: (frames) => {
          newest = frames;
          viewer.parts?.(frames);
        },
        facts(entries) {
          viewer.facts(entries);
          if (newest && entries.some((entry) => says(entry, /^\{"type":"TASK_PART_CLOSED".*"ABANDONED"/s))) viewer.parts?.(newest);
        },
      };
    }),
  },
  /** Writes what it has, wherever that ends. */
  'cuts a character of a part in two': {
    way: (store) =>
      withLanes(store, (lanes) => ({
        async flush(flushes) {
          const [flush] = flushes;
          const both = flush && flushes.length === 1 ? halves(flush) : undefined;
          const [first] = both ? await lanes.flush([both[0]]) : [];
          return both && first === 'ok' ? lanes.flush([both[1]]) : lanes.flush(flushes);
        },
      })),
  },
  ...plantedClientPartBugs,
  ...plantedValueBugs,
};
