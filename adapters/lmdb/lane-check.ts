import type { Head } from './head.ts';
import { isJson } from './json.ts';
import type { RowKey } from './keys.ts';

/** The lanes of a task as its rows have them. */
export interface LaneCheck {
  /** Takes a row of a lane, in the order of the keys: closed ones, open ones, bytes. True where it was one. */
  take(key: RowKey, value: Buffer): boolean;
  /** What is wrong with those of the task whose rows were taken, as lines, and how many there are; the next row is another task's. */
  endTask(taskId: string, head: Head | undefined): { readonly faults: readonly string[]; readonly lanes: number };
}

interface SeenLane {
  readonly isOpen: boolean;
  readonly isValue: boolean;
  /** The length, as far as bytes were seen. */
  length: number;
}

/** Makes a check of lanes: bytes without a gap, of a lane that is there; no lane both open and closed, none open beside a log that has ended. */
export function createLaneCheck(): LaneCheck {
  let lanes = new Map<string, SeenLane>();
  let faults: string[] = [];

  function takeLane(lane: string, isOpen: boolean, value: Buffer): void {
    if (!isJson(value)) faults.push(`lane ${lane}, which is no JSON`);
    else if (lanes.has(lane)) faults.push(`lane ${lane}, which is open and closed`);
    else lanes.set(lane, { isOpen, isValue: (JSON.parse(value.toString()) as { latest?: unknown }).latest === true, length: 0 });
  }

  function takeBytes(lane: string, at: number, value: Buffer): void {
    const seen = lanes.get(lane);
    if (!seen) faults.push(`bytes of lane ${lane}, which is not there`);
    else if (seen.isValue ? seen.length > 0 : at !== seen.length) faults.push(`bytes of lane ${lane} at ${at} after ${seen.length}`);
    if (seen) seen.length = seen.isValue ? at + 1 : at + value.length;
  }

  return {
    take([, , kind, lane, at], value) {
      if (kind === 'c' || kind === 'o') takeLane(String(lane), kind === 'o', value);
      else if (kind === 'p') takeBytes(String(lane), Number(at), value);
      return kind === 'c' || kind === 'o' || kind === 'p';
    },
    endTask(taskId, head) {
      if (head?.ended) for (const [lane, { isOpen }] of lanes) if (isOpen) faults.push(`lane ${lane} open, and its log has ended`);
      const found = { faults: faults.map((fault) => `Task ${taskId} has ${fault}.`), lanes: lanes.size };
      lanes = new Map();
      faults = [];
      return found;
    },
  };
}
