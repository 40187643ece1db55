import type { IncomingMessage, ServerResponse } from 'node:http';
import type { LogRun } from '../live/log-read.ts';
import type { PollPage, PollRequest } from '../live/poll.ts';
import type { TaskBridgeError } from '../errors.ts';
import type { AuthContext } from '../ports/auth.ts';

/** A stream that was checked and may start. */
export interface SseRequest {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly auth: AuthContext;
  readonly taskId: string;
  /** The cursor as it was sent. */
  readonly after: string | undefined;
  /** The `extensions` of the query, as sent. */
  readonly extensions: string | undefined;
  /** The part cursors of the query, as sent, checked. */
  readonly parts?: string | undefined;
  /** The first page, where it was read beforehand. */
  readonly first?: LogRun | undefined;
}

/** One task of a stream that shows many: where to go on in its log, or why it is not shown. */
export interface SharedSseTask {
  readonly taskId: string;
  /** As it was sent, unchecked; null for the start. */
  readonly cursor: string | null;
  /** Its part cursors, as they were sent, unchecked. */
  readonly parts?: string | undefined;
  readonly refusal: TaskBridgeError | undefined;
}

/** A stream of many tasks that may start. */
export interface SharedSseRequest extends Pick<SseRequest, 'req' | 'res' | 'auth' | 'extensions'> {
  /** Each once. */
  readonly tasks: readonly SharedSseTask[];
}

/** The part of the live path that the HTTP routes need. */
export interface LiveService {
  /** The headers that a stream begins with. */
  readonly sseHeaders: Readonly<Record<string, string>>;
  poll(taskId: string, request: PollRequest): Promise<PollPage>;
  /** Takes the response over: writes its head, or throws before it. A HEAD gets no more than that, and no viewer's place is asked for. */
  openSse(request: SseRequest): Promise<void> | void;
  /** The same for a stream of many tasks. */
  openSharedSse(request: SharedSseRequest): void;
}
