import { NewerVersionError } from '../../machines/index.ts';
import type { PathParams } from '../ports/auth.ts';
import type { TraceContext } from '../ports/tracing.ts';

/**
 * The version of a stored form with parameters, a title or labels (2 had parameters only). One without has none, and the text that it always had. A trace
 * raises none: a node that knows of none passes it over, and since this text is written once, loses nothing.
 */
export const ABOUT_VERSION = 3;

/** What never changes about a task and is small: stored with its state. */
export interface TaskAbout {
  readonly taskId: string;
  readonly taskType: string;
  readonly clientRequestId: string;
  /** The subject that created it. */
  readonly owner: string;
  /** What stood in the path of its create where that has names, such as its project. Absent where there are none. */
  readonly params?: PathParams;
  /** What people call it. Absent where it has none. */
  readonly title?: string;
  /** By which it is found again. Absent where it has none. */
  readonly labels?: readonly string[];
  /** Where its create stands in a trace: its spans hang beneath that. Absent where it came without one, and nobody traced. */
  readonly trace?: TraceContext;
  /** Hex: over type, input and the hashes of the attachments, parameters parameters; tells a repeated create from a conflicting one. */
  readonly contentHash: string;
  /** Hex: over owner and clientRequestId. */
  readonly requestKey: string;
  /** The store's time, in milliseconds since the epoch. */
  readonly createdAt: number;
}

/** The stored form. */
export function storeAbout(about: TaskAbout): string {
  const isPlain = about.params === undefined && about.title === undefined && about.labels === undefined;
  return JSON.stringify(isPlain ? about : { v: ABOUT_VERSION, ...about });
}

/** Reads the stored form. Throws `NewerVersionError` where a newer node wrote it. */
export function parseAbout(json: string): TaskAbout {
  // Our own text, written when the task was created.
  const { v = 1, ...about } = JSON.parse(json) as TaskAbout & { readonly v?: number };
  if (v > ABOUT_VERSION) throw new NewerVersionError(v, ABOUT_VERSION);
  return about;
}
