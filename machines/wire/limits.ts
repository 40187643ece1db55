import { STREAM_TASKS_MAX } from '../routes/task-set.ts';
import { OPEN_PARTS_MAX, OPEN_SUSPENSIONS_MAX, PARTS_MAX, SUSPENSIONS_MAX } from './chart-limits.ts';

/** The protocol's limits on sizes and counts, with their units in the names. What a host may change stands in its door's options. */
export const limits = {
  /** Longest `clientRequestId`, `taskType`, `clientActionId`, `suspendId`, `actionType`, name of a part, in characters. */
  textIdCharactersMax: 256,
  /** Longest `stage` of a progress report, in characters. */
  stageCharactersMax: 256,
  /** Longest short text for people: progress message, cancel reason, failure message; in characters. */
  noteCharactersMax: 1024,
  /** Longest `title` of a task, in characters. */
  titleCharactersMax: 256,
  /** Most `labels` of a task. */
  labelsMax: 16,
  /** Longest label, in characters. */
  labelCharactersMax: 64,
  /** Largest `input` and largest `metadata` that stand in a snapshot, in bytes as JSON; of a larger one it says its size. */
  snapshotValueBytesMax: 16 * 1024,
  /** Most tasks of one page of a list. */
  listTasksMax: 100,
  /** Most of an owner's tasks that one page of a list looks at, those that do not fit among them. */
  listNamesMax: 500,
  /** The bytes at which a page of a list ends, with the task that reaches them. */
  listBytesMax: 4 * 1024 * 1024,
  /** Questions that one task may have open at once. */
  openSuspensionsMax: OPEN_SUSPENSIONS_MAX,
  /** Questions that one task may ask in its life. */
  suspensionsMax: SUSPENSIONS_MAX,
  /** Parts that one task may have open at once. */
  openPartsMax: OPEN_PARTS_MAX,
  /** Parts that one task may open in its life. */
  partsMax: PARTS_MAX,
  /** Longest part, in bytes of UTF-8. */
  partBytesMax: 4 * 1024 * 1024,
  /** Longest text of a part that the fact which closes it may carry, in bytes of UTF-8. */
  partTextBytesMax: 32 * 1024,
  /** Most bytes of a part that one read of it may ask for. */
  partReadBytesMax: 256 * 1024,
  /** Largest attributes of a part, in bytes as JSON. */
  partAttributesBytesMax: 1024,
  /** Deepest nesting of objects and arrays in a body. */
  nestingMax: 64,
  /** Largest fact as it goes over the wire, in bytes. */
  factBytesMax: 1024 * 1024,
  /** Largest JSON body of a request, in bytes. */
  bodyBytesMax: 1024 * 1024,
  /** Most events of one long poll. */
  pollEventsMax: 500,
  /** Longest wait of one long poll, in milliseconds. */
  pollWaitMsMax: 60_000,
  /** Most tasks of one event stream that many share. */
  streamTasksMax: STREAM_TASKS_MAX,
} as const;
