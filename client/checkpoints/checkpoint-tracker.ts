import type { Aggregate } from '../../machines/index.ts';
import { compareEventIds } from '../../machines/wire/index.ts';
import type { ClientReport } from '../report.ts';
import { readCheckpoint, writeCheckpoint, type Checkpoint } from './checkpoint.ts';
import type { CheckpointStore } from './store.ts';

/** One observation's share in a checkpoint. */
export interface CheckpointShare {
  /** Also what keeps the checkpoint from moving backwards: ask even where the answer is not used. */
  load(): Promise<Checkpoint | undefined>;
  /** Everything up to `eventId` was dealt with here. */
  moved(eventId: string): void;
  /** History was replaced: the next position counts even if it is an older one. */
  reset(): void;
  /** The terminal fact was dealt with here. */
  ended(): void;
  leave(): void;
}

/** Moves checkpoints: forward only, after the slowest observation of this client, one write at a time. */
export interface CheckpointTracker {
  /** `from` is where the observation begins; `task` gives its projection when something is written. */
  join(taskId: string, key: string, task: () => Aggregate | undefined): CheckpointShare;
  /** Resolves when everything is written. */
  flush(): Promise<void>;
}

interface Seat {
  position: string | null;
  ended: boolean;
  readonly task: () => Aggregate | undefined;
}

interface Entry {
  readonly seats: Set<Seat>;
  stored: string | null;
  wanted: (() => string) | 'remove' | undefined;
  writing: Promise<void> | undefined;
}

/** Keeps the checkpoints of one client. */
export function createCheckpointTracker(store: CheckpointStore, report: (report: ClientReport) => void): CheckpointTracker {
  const entries = new Map<string, Entry>();

  async function load(taskId: string, key: string, entry: Entry): Promise<Checkpoint | undefined> {
    await entry.writing;
    try {
      const text = await store.read(key);
      const checkpoint = text === undefined ? undefined : readCheckpoint(text);
      entry.stored ??= checkpoint?.eventId ?? null;
      return checkpoint;
    } catch (cause) {
      report({ type: 'checkpoint', taskId, reason: 'The checkpoint could not be read.', cause });
      return undefined;
    }
  }

  function settle(taskId: string, key: string, entry: Entry): void {
    if (isMoved(entry)) entry.writing ??= write(taskId, key, entry);
  }

  async function write(taskId: string, key: string, entry: Entry): Promise<void> {
    // What moves in the same turn is written once.
    await Promise.resolve();
    while (entry.wanted) {
      const wanted = entry.wanted;
      entry.wanted = undefined;
      try {
        if (wanted === 'remove') await store.remove(key);
        else await store.write(key, wanted());
      } catch (cause) {
        report({ type: 'checkpoint', taskId, reason: 'The checkpoint could not be written.', cause });
      }
    }
    entry.writing = undefined;
    if (entry.seats.size === 0) entries.delete(key);
  }

  return {
    join(taskId, key, task) {
      const entry = entries.get(key) ?? { seats: new Set<Seat>(), stored: null, wanted: undefined, writing: undefined };
      entries.set(key, entry);
      const seat: Seat = { position: null, ended: false, task };
      entry.seats.add(seat);
      return {
        load: () => load(taskId, key, entry),
        moved(eventId) {
          seat.position = eventId;
          settle(taskId, key, entry);
        },
        reset() {
          entry.stored = null;
        },
        ended() {
          seat.ended = true;
          settle(taskId, key, entry);
        },
        leave() {
          entry.seats.delete(seat);
          if (entry.seats.size === 0 && !entry.writing) entries.delete(key);
        },
      };
    },
    async flush() {
      await Promise.all([...entries.values()].flatMap(({ writing }) => writing ?? []));
    },
  };
}

/** True where the slowest seat has moved, and what is wanted of the store with it. */
function isMoved(entry: Entry): boolean {
  const waiting = [...entry.seats].filter(({ ended }) => !ended);
  if (waiting.length === 0 && entry.seats.size > 0) {
    entry.wanted = 'remove';
    return true;
  }
  const slowest = slowestOf(waiting);
  if (!slowest?.position || slowest.position === entry.stored) return false;
  const { position, task } = slowest;
  if (entry.stored !== null && (compareEventIds(position, entry.stored) ?? 1) < 0) return false;
  entry.stored = position;
  entry.wanted = () => writeCheckpoint(position, task());
  return true;
}

/** The seat that is furthest behind; undefined while one has not begun, or where two cannot be compared. */
function slowestOf(seats: readonly Seat[]): Seat | undefined {
  let slowest: Seat | undefined;
  for (const seat of seats) {
    if (seat.position === null) return undefined;
    if (slowest === undefined) slowest = seat;
    else {
      const order = compareEventIds(seat.position, slowest.position ?? '');
      if (order === undefined) return undefined;
      if (order < 0) slowest = seat;
    }
  }
  return slowest;
}
