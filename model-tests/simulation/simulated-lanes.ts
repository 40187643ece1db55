import type { Memory } from '../../adapters/memory/index.ts';
import type { Lanes } from '../../server/ports/index.ts';
import type { Oracle } from './oracle.ts';
import type { FaultPoint } from './plan.ts';

/** Where bytes are really written: the oracle sees all of it. */
export function witnessedLanes(lanes: Lanes, { oracle, memory }: { readonly oracle: Oracle; readonly memory: Memory }): Lanes {
  return {
    ...lanes,
    flush(flushes) {
      const written = lanes.flush(flushes);
      for (const { fence } of flushes) {
        const row = memory.tasks.get(fence.taskId);
        if (row) oracle.lanes.flushed(row, fence.lane);
      }
      return written;
    },
  };
}

/** A node's way there. */
export function faultyLanes(lanes: Lanes, call: <T>(point: FaultPoint, verb: () => Promise<T>) => Promise<T>): Lanes {
  return {
    flush(flushes) {
      // Once it is answered their buffers are the caller's again, and what is on its way may come twice.
      const sent = flushes.map((flush) => ({ ...flush, bytes: flush.bytes.slice() }));
      return call('flush', () => lanes.flush(sent));
    },
    seal: (fence) => call('seal', () => lanes.seal(fence)),
    readPart: (...place) => call('readPart', () => lanes.readPart(...place)),
    newest: (taskIds) => call('newest', () => lanes.newest(taskIds)),
  };
}
