import type { PartFrame } from '../../machines/parts/index.ts';
import { withRecords, type PartRecord } from './part-records.ts';
import type { PlantedBug } from './planted-bug.ts';

/** A client whose parts take frames in another way. */
export function withFrames(
  change: (record: PartRecord) => (frame: PartFrame, connection: object) => ReturnType<PartRecord['frame']>,
): PlantedBug {
  return {
    parts: (port) =>
      withRecords(port, (record) => {
        const take = change(record);
        return {
          // As far as these bugs look at it.
          frame: (frame, connection) =>
            'type' in frame && frame.type === 'PART' ? take(frame as PartFrame, connection) : record.frame(frame, connection),
        };
      }),
  };
}

/** Bugs of parts on the side of the client, each planted from outside the product. */
export const plantedClientPartBugs: Readonly<Record<string, PlantedBug>> = {
  /** Adds the first frame after a reconnect to the text twice. */
  'takes a frame of a part twice after a reconnect': withFrames((record) => {
    const met = new WeakSet();
    return (frame, connection) => {
      const isAgain = !met.has(connection) && frame.at > 0;
      met.add(connection);
      const outcome = record.frame(frame, connection);
      const { at, to, reset: _, ...rest } = frame;
      return isAgain && outcome === 'news'
        ? record.frame({ ...rest, at: to, to: to + (to - at) } satisfies PartFrame, connection)
        : outcome;
    };
  }),
  /** Adds what comes to what it has when it is told to begin anew. */
  'keeps the text of an epoch of a part that is gone': withFrames((record) => {
    const lengths = new Map<number, number>();
    return (frame, connection) => {
      const { part, at, to, reset, epoch: _, ...rest } = frame;
      const has = lengths.get(part) ?? 0;
      lengths.set(part, Math.max(has, to));
      if (reset !== true || has === 0) return record.frame(frame, connection);
      return record.frame({ ...rest, part, at: has, to: has + (to - at) } satisfies PartFrame, connection);
    };
  }),
};
