import type { Aggregate } from '../../machines/index.ts';
import { TaskBridgeClientError } from '../errors.ts';
import { compareEventIds } from '../../machines/wire/index.ts';
import type { ClientReport, ReportMoment } from '../report.ts';
import { readCheckpoint, writeCheckpoint, type Checkpoint } from './checkpoint.ts';
import type { CheckpointStore } from './store.ts';

/** What one observation says of itself to the checkpoint that it shares with others of its task. */
export interface CheckpointHandle {
  /** Also what keeps the checkpoint from moving backwards: ask even where the answer is not used. */
  load(): Promise<Checkpoint | undefined>;
  /** Everything up to `eventId` was acknowledged here. */
  moved(eventId: string): void;
  /** What goes with the position has changed. */
  aged(): void;
  /** History was replaced: the next position counts even if it is an older one. */
  reset(): void;
  /** No server goes on from it: it goes, and the next position counts. */
  drop(): void;
  /** The terminal fact was acknowledged here. */
  ended(): void;
  leave(): void;
}

/** Moves checkpoints: forward only, after the slowest observation of this client, one write at a time. */
export interface CheckpointTracker {
  /** `kept` gives the observation's projection, and what it keeps of parts, when something is written with a position. */
  join(moment: ReportMoment, key: string, kept: (eventId: string) => Kept): CheckpointHandle;
  /** The task is gone: so is its checkpoint, whatever who observes it here still has to acknowledge. */
  forget(moment: ReportMoment, key: string): void;
  /** Resolves when everything is written. */
  flush(): Promise<void>;
}

/** What a checkpoint keeps beside its position. */
type Kept = readonly [task: Aggregate | undefined, parts: unknown];

/** One observation. */
interface Participant {
  position: string | null;
  hasEnded: boolean;
  readonly kept: (eventId: string) => Kept;
}

/** One checkpoint. */
interface Entry {
  readonly participants: Set<Participant>;
  stored: string | null;
  /** What is still to be done in the store. */
  wanted: (() => string) | 'remove' | undefined;
  writing: Promise<void> | undefined;
}

/** Who closes the client waits for no checkpoint. */
function isClosed(cause: unknown): boolean {
  return cause instanceof TaskBridgeClientError && cause.code === 'CLOSED';
}

/** Keeps the checkpoints of one client. */
export function createCheckpointTracker(store: CheckpointStore, report: (report: ClientReport) => void): CheckpointTracker {
  const entries = new Map<string, Entry>();

  function writeWhereMoved(moment: ReportMoment, key: string, entry: Entry, isAged = false): void {
    if (hasMoved(entry, isAged)) entry.writing ??= write(moment, key, entry);
  }

  function remove(moment: ReportMoment, key: string, entry: Entry): void {
    entry.wanted = 'remove';
    entry.writing ??= write(moment, key, entry);
  }

  async function write(moment: ReportMoment, key: string, entry: Entry): Promise<void> {
    // What moves in the same turn is written once.
    await Promise.resolve();
    while (entry.wanted) {
      const wanted = entry.wanted;
      entry.wanted = undefined;
      try {
        if (wanted === 'remove') await store.remove(key);
        else await store.write(key, wanted());
      } catch (cause) {
        report({ type: 'checkpoint', ...moment, reason: 'The checkpoint could not be written.', cause });
      }
    }
    entry.writing = undefined;
    if (entry.participants.size === 0) entries.delete(key);
  }

  return {
    join(moment, key, kept) {
      const entry = entryOf(entries, key);
      const participant: Participant = { position: null, hasEnded: false, kept };
      entry.participants.add(participant);
      return {
        async load() {
          const checkpoint = await load(store, report, moment, key, entry);
          // What the store has is nobody's to lose any more.
          participant.position ??= checkpoint?.eventId ?? null;
          return checkpoint;
        },
        moved(eventId) {
          participant.position = eventId;
          writeWhereMoved(moment, key, entry);
        },
        aged() {
          if (!participant.hasEnded) writeWhereMoved(moment, key, entry, true);
        },
        reset() {
          entry.stored = null;
        },
        drop() {
          participant.position = entry.stored = null;
          remove(moment, key, entry);
        },
        ended() {
          participant.hasEnded = true;
          writeWhereMoved(moment, key, entry);
        },
        leave() {
          entry.participants.delete(participant);
          if (entry.participants.size === 0 && !entry.writing) entries.delete(key);
        },
      };
    },
    forget(moment, key) {
      const entry = entryOf(entries, key);
      for (const participant of entry.participants) participant.hasEnded = true;
      remove(moment, key, entry);
    },
    async flush() {
      await Promise.all([...entries.values()].flatMap(({ writing }) => writing ?? []));
    },
  };
}

async function load(
  store: CheckpointStore,
  report: (report: ClientReport) => void,
  moment: ReportMoment,
  key: string,
  entry: Entry,
): Promise<Checkpoint | undefined> {
  await entry.writing;
  try {
    const text = await store.read(key);
    const checkpoint = text === undefined ? undefined : readCheckpoint(text);
    entry.stored ??= checkpoint?.eventId ?? null;
    return checkpoint;
  } catch (cause) {
    if (!isClosed(cause)) report({ type: 'checkpoint', ...moment, reason: 'The checkpoint could not be read.', cause });
    return undefined;
  }
}

function entryOf(entries: Map<string, Entry>, key: string): Entry {
  const entry = entries.get(key) ?? { participants: new Set<Participant>(), stored: null, wanted: undefined, writing: undefined };
  entries.set(key, entry);
  return entry;
}

/**
 * True where the slowest participant has moved; where what is kept has aged, true if it is still where the checkpoint is: a place that somebody has not come to
 * may never have been written, since the store had failed. Notes what is wanted of the store then.
 */
function hasMoved(entry: Entry, isAged: boolean): boolean {
  const waiting = [...entry.participants].filter(({ hasEnded }) => !hasEnded);
  if (waiting.length === 0 && entry.participants.size > 0) {
    entry.wanted = 'remove';
    return true;
  }
  const slowest = slowestOf(waiting);
  if (!slowest?.position || (slowest.position === entry.stored) !== isAged) return false;
  const { position, kept } = slowest;
  if (entry.stored !== null && (compareEventIds(position, entry.stored) ?? 1) < 0) return false;
  entry.stored = position;
  entry.wanted = () => writeCheckpoint(position, ...kept(position));
  return true;
}

/** The one that is furthest behind; undefined while one has not begun, or where two cannot be compared. */
function slowestOf(participants: readonly Participant[]): Participant | undefined {
  let slowest: Participant | undefined;
  for (const participant of participants) {
    if (participant.position === null) return undefined;
    if (slowest === undefined) slowest = participant;
    else {
      const order = compareEventIds(participant.position, slowest.position ?? '');
      if (order === undefined) return undefined;
      if (order < 0) slowest = participant;
    }
  }
  return slowest;
}
