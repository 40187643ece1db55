import type { EventId } from '../../machines/wire/index.ts';

/**
 * A run of a lane's bytes under one fence. A lane may lose its end when a store falls back to a replica, and grow again: who has read up to a
 * length of the epoch `was`, no further than `from`, goes on from there; everybody else begins the lane anew.
 */
export interface Epoch {
  /** Drawn for it: no two are alike, also where numbers repeat. */
  readonly mark: string;
  /** The mark of the epoch before; null for a lane's first. */
  readonly was: string | null;
  /** The lane's length when it began, in bytes. */
  readonly from: number;
}

/** Who may write to a lane. It is compared as a whole: another epoch, attempt or node is another fence. */
export interface Fence {
  readonly taskId: string;
  /** The lane's name: the whole id of the fact that opened its part. */
  readonly lane: EventId;
  readonly epoch: Epoch;
  readonly attempt: number;
  readonly node: string;
  /**
   * True for a lane of one value that is replaced: each flush brings the whole next one, and all lengths of the lane count versions instead of bytes.
   * It is `at` what the version was before; afterwards it is one more. Stays what it was when the lane was opened.
   */
  readonly latest?: true;
}

/** The most bytes of a value that is replaced: 64 KiB. A store throws a `RangeError` for more, and writes nothing of that flush. */
export const LATEST_BYTES_MAX = 64 * 1024;

/** A lane that a commit closes. It was sealed before, so that its length is certain. */
export interface ClosedLane {
  readonly lane: EventId;
  /** The length that sealing it gave. */
  readonly bytes: number;
  /** False where its text is in the log from now on: then its bytes are dropped. Else they stay as long as the task. */
  readonly keeps: boolean;
}

/** What a commit changes of the task's lanes, in the same step as all else. It names no lane twice: one that it would open and close is in none of the lists. */
export interface LaneChanges {
  /** New ones, empty: each in an epoch that follows none and begins at 0. */
  readonly open?: readonly Fence[];
  /** Open ones, sealed or not, that go on in a new epoch, which begins at their length. */
  readonly continue?: readonly Fence[];
  readonly close?: readonly ClosedLane[];
}

/** Bytes for the end of a lane, or its next value. */
export interface LaneFlush {
  readonly fence: Fence;
  /** Where they belong: the length that the lane has before. */
  readonly at: number;
  /** May be a view into a larger buffer, which is its caller's again once the flush is answered. */
  readonly bytes: Uint8Array;
}

/**
 * What became of a flush. `ok`: the bytes are there, also where they were before, since an earlier reply was lost. `fenced`: the lane is not open under
 * this fence, or was sealed. `at`: nothing was written, the lane is that long.
 */
export type FlushOutcome = 'ok' | 'fenced' | { readonly at: number };

/** A run of a lane's bytes. All is of one moment. */
export interface PartPage {
  /** Of a lane whose value is replaced: the value as a whole, however long, or nothing where its version is not beyond `from`. */
  readonly bytes: Uint8Array;
  /** The whole length of the lane. */
  readonly length: number;
  readonly epoch: Epoch;
  /** As the lane's fence has it. */
  readonly latest?: true;
}

/** How far the log and the open lanes of a task have come. */
export interface NewestOfTask {
  /** The newest fact; null where the log is empty or the task is gone. */
  readonly eventId: EventId | null;
  /** In the order in which they were opened. */
  readonly lanes: readonly { readonly lane: EventId; readonly epoch: Epoch; readonly length: number }[];
}

/**
 * Where the bytes of parts are, beside the log. Commits open and close lanes (`Commit.lanes`); between the two, bytes are added past the log, by
 * whoever has the fence. The store compares it with each flush, in one atomic step, so that two writers never interleave.
 */
export interface Lanes {
  /**
   * Adds bytes to lanes, in the order of the list; answers in the same order. Where it rejects, nobody knows what was written of the list: to ask again is
   * safe.
   */
  flush(flushes: readonly LaneFlush[]): Promise<readonly FlushOutcome[]>;
  /**
   * Ends the writing to a lane, for everybody, until a commit lets it go on; gives its length. The same answer when it is asked again, by anybody who
   * knows the fence; `fenced` where the lane is not open under it.
   */
  seal(fence: Fence): Promise<number | 'fenced'>;
  /** Reads from a place on, `bytesMax` at most; undefined where there is no such lane (any more). Cuts fall anywhere, also within a character. */
  readPart(taskId: string, lane: EventId, from: number, bytesMax: number): Promise<PartPage | undefined>;
  /** As `lastEventIds`, with the open lanes of the same moment. */
  newest(taskIds: readonly string[]): Promise<readonly NewestOfTask[]>;
}
