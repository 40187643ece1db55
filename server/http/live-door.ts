import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Gap } from '../../machines/index.ts';
import type { AuthContext } from '../ports/auth.ts';
import type { Entry } from '../ports/store.ts';

/** What a long poll asks. */
export interface PollRequest {
  /** The cursor as it was sent. */
  readonly after: string | undefined;
  /** How long to wait for the first fact, in milliseconds; 0 does not wait. */
  readonly waitMs: number;
  readonly maxEvents: number;
  /** Aborts when the client is gone. */
  readonly signal: AbortSignal;
}

/** What a long poll gets. */
export interface PollPage {
  readonly entries: readonly Entry[];
  readonly nextAfterEventId: string | null;
  readonly hasMore: boolean;
  readonly terminal: boolean;
  readonly gap?: Gap | undefined;
}

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
}

/** The part of the live path that the HTTP routes need. */
export interface LiveDoor {
  poll(taskId: string, request: PollRequest): Promise<PollPage>;
  /** Takes the response over: writes its head, or throws before it. */
  openSse(request: SseRequest): Promise<void> | void;
}
