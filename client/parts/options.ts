import { readLimits, refuseUnknown } from '../known-options.ts';

/** Numbers, with their units in the names. */
export interface PartLimits {
  /** The text that is kept of one part; what comes beyond is counted only. Defaults to 4 MiB, the most that a server takes. */
  readonly textBytesMax: number;
  /** The text that is kept of all parts of a task: beyond it that of closed ones is let go, the oldest first. Defaults to 16 MiB. */
  readonly taskTextBytesMax: number;
  /** The text that a checkpoint has of all parts of its task. Defaults to 32 KiB. */
  readonly storedBytesMax: number;
  /** How old a checkpoint may be while text comes. Defaults to 1000. */
  readonly storeMs: number;
}

/** The numbers of parts that were told nothing. */
export const defaultPartLimits: PartLimits = {
  textBytesMax: 4 * 1024 * 1024,
  taskTextBytesMax: 16 * 1024 * 1024,
  storedBytesMax: 32 * 1024,
  storeMs: 1_000,
};

/** What parts may be told. */
export interface TaskPartsOptions {
  readonly limits?: Partial<PartLimits>;
}

/** Checks the options once. Throws with code `INVALID_ARGUMENT`. */
export function readPartOptions(options: TaskPartsOptions): PartLimits {
  refuseUnknown(options, { limits: true });
  return readLimits(options.limits, defaultPartLimits);
}
