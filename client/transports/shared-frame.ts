/** As much of a frame as says whom it is for, on a connection that several tasks share. */
export interface SharedFrameHead {
  readonly type?: unknown;
  readonly taskId: string;
  readonly code?: unknown;
  readonly extensions?: unknown;
}

/** Reads it. Of a fact, and of text, only its beginning is looked at: it is read whole by that one. */
export function readSharedFrame(text: string | undefined): SharedFrameHead {
  const [, taskId] = /^\{"type":"(?:TASK_\w+|PART)","taskId":"([^"\\]+)"/.exec(text ?? '') ?? [];
  if (taskId !== undefined) return { taskId };
  try {
    // Whatever it is, these four may be looked for in it; a task id that is no text is nobody's.
    return Object(JSON.parse(text as string)) as SharedFrameHead;
  } catch {
    return { taskId: '' };
  }
}

/** The code that the end of a subscription has where the server would have cut a connection of the task's own. */
export const CUT = 1006;
/** … where it has no room for the task here. */
export const FULL = 1013;
