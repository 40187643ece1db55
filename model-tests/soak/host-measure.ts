import { readdirSync, readlinkSync } from 'node:fs';
import { systemClock, type Clock } from 'taskbridge/server';

/** How a host stands, as its own process counts it. */
export interface HostMeasure {
  /** In use after a collection. */
  readonly heapBytes: number;
  readonly rssBytes: number;
  readonly descriptors: number;
  /** Of these, sockets. */
  readonly sockets: number;
  /** Those of the bridge and of its store, and what else keeps the process waiting. */
  readonly timers: number;
}

/** The machine's clock, which knows how many of its timers are set. */
export function countedClock(): { readonly clock: Clock; readonly pending: () => number } {
  const set = new Set<unknown>();
  return {
    pending: () => set.size,
    clock: {
      ...systemClock,
      setTimeout(fn, ms) {
        const id = systemClock.setTimeout(() => {
          set.delete(id);
          fn();
        }, ms);
        set.add(id);
        return id;
      },
      clearTimeout(id) {
        set.delete(id);
        systemClock.clearTimeout(id);
      },
    },
  };
}

/** Looks at this process. What it counts by the system's own list is Linux's. */
export function measureProcess(pendingTimers: number): HostMeasure {
  // Twice: what ended others in the first pass goes in the second.
  for (let pass = 0; pass < 2; pass += 1) globalThis.gc?.();
  const { heapUsed, rss } = process.memoryUsage();
  const open = readdirSync('/proc/self/fd').map((name) => {
    try {
      return readlinkSync(`/proc/self/fd/${name}`);
    } catch {
      // The one that the list itself was read by.
      return undefined;
    }
  });
  return {
    heapBytes: heapUsed,
    rssBytes: rss,
    descriptors: open.filter((target) => target !== undefined).length,
    sockets: open.filter((target) => target?.startsWith('socket:')).length,
    timers: pendingTimers + process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length,
  };
}
