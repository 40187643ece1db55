import type { IncomingMessage, ServerResponse } from 'node:http';
import type { LogRun } from '../live/log-read.ts';
import type { PollPage, PollRequest } from '../live/poll.ts';
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
  /** The first page, where it was read beforehand. */
  readonly first?: LogRun | undefined;
}

/** The part of the live path that the HTTP routes need. */
export interface LiveService {
  /** The headers that a stream begins with. */
  readonly sseHeaders: Readonly<Record<string, string>>;
  poll(taskId: string, request: PollRequest): Promise<PollPage>;
  /** Takes the response over: writes its head, or throws before it. A HEAD gets no more than that, and no viewer's place is asked for. */
  openSse(request: SseRequest): Promise<void> | void;
}
