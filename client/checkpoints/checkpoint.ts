import { restoreAggregate, storeAggregate, type Aggregate, type StoredAggregate } from '../../machines/index.ts';
import { compareEventIds } from '../../machines/wire/index.ts';

/** The version of the stored form. */
export const CHECKPOINT_VERSION = 1;

/** Ids of any server, as headers and queries can carry them: no proxy refuses them for their length. */
const SENDABLE = /^[!-~]{1,256}$/;

/** What a client keeps to resume, saved as one value. */
export interface Checkpoint {
  /** The last fact that the consumer has acknowledged. */
  readonly eventId: string;
  /** The projection, which may be ahead of the consumer; undefined where it cannot be used. */
  readonly task: Aggregate | undefined;
  /** What is kept of parts, in a form of its own; undefined where nothing is. */
  readonly parts?: unknown;
}

/** Where the checkpoint of a task is kept. */
export function checkpointKey(namespace: string, baseUrl: string, taskId: string): string {
  return `${namespace}|${baseUrl}|${taskId}`;
}

/**
 * Writes a checkpoint as text. An aggregate that says too little to go on from is left out: the server's snapshot takes its place. That is
 * one that lacks facts up to `eventId`, which would never be folded, and one of a completed task, whose result it does not hold.
 */
export function writeCheckpoint(eventId: string, task: Aggregate | undefined, parts?: unknown): string {
  const stored =
    task && isWhole(task, eventId) ? { task: storeAggregate(task), taskEventId: task.lastEventId } : { task: null, taskEventId: null };
  return JSON.stringify({ v: CHECKPOINT_VERSION, eventId, ...stored, parts });
}

function isWhole({ task, lastEventId }: Aggregate, eventId: string): boolean {
  return lastEventId !== null && task.context.resultEventId === null && (compareEventIds(lastEventId, eventId) ?? 0) >= 0;
}

/** Reads the text back. Gives undefined for one that a newer version wrote; throws for one that cannot be read. */
export function readCheckpoint(text: string): Checkpoint | undefined {
  const value = JSON.parse(text) as { v?: unknown; eventId?: unknown; task?: StoredAggregate | null; parts?: unknown } | null;
  if (typeof value?.v !== 'number' || typeof value.eventId !== 'string') throw new Error('The checkpoint has no version or no event id.');
  if (value.v > CHECKPOINT_VERSION) return undefined;
  if (!SENDABLE.test(value.eventId)) throw new Error('The event id of the checkpoint is none.');
  return { eventId: value.eventId, task: readTask(value.task), parts: value.parts };
}

function readTask(stored: StoredAggregate | null | undefined): Aggregate | undefined {
  try {
    return stored ? restoreAggregate(stored) : undefined;
  } catch {
    // Written by a newer version, or by another library: the server's snapshot takes its place.
    return undefined;
  }
}
