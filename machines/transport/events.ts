import type { TransportName } from '../wire/transports.ts';

/** `progressive-sticky`: retry on a rung while its budget lasts. `fast-cycle`: one try each, a loss goes to the next. */
export type Strategy = 'progressive-sticky' | 'fast-cycle';

/**
 * How what is delivered now joins what was delivered before. `resumed`: without a hole. `gap`: facts are missing, the server no longer has
 * them. `reset`: the history was replaced, and is delivered from its first retained fact.
 */
export type Continuity = 'resumed' | 'gap' | 'reset';

/** Why an observation cannot go on. */
export interface TransportFailure {
  /** The server's code, or one of the client's own. */
  readonly code: string;
  readonly message: string;
  /** The HTTP status, where an answer was the reason. */
  readonly status?: number;
  /** The WebSocket close code, where a close was the reason. */
  readonly closeCode?: number;
  /** What was thrown, where something was. */
  readonly cause?: unknown;
}

/** How many tries in a row each transport has; 0 means that it is never used. */
export type Tries = Readonly<Record<TransportName, number>>;

/** What one observation's chart begins with. */
export interface TransportInput {
  readonly tries: Tries;
  readonly strategy: Strategy;
  /** True where there is a provider that can be asked for new credentials. */
  readonly refreshable: boolean;
}

/** An answer that is no success. */
export interface RefusedAnswer {
  readonly status: number;
  /** The code of the error envelope, where there was one. */
  readonly code?: string;
  readonly message?: string;
  /** What the server asked to wait, in milliseconds. */
  readonly retryAfterMs?: number;
  readonly verdict?: Classification;
}

/** What the host says of a failure, before the protocol's own rule is asked: a loss like any other, or no use in trying again. */
export type Classification = 'retry' | 'final';

/** What any connection reports, classified; it never decides what comes next. */
type Reported<T extends TransportName> =
  /** At least one fact that was not delivered before. */
  | { readonly type: `${T}.facts` }
  /** A frame that nothing can be told from. */
  | { readonly type: `${T}.malformed` }
  /** A cut, a torn body, a network error, a hole. */
  | { readonly type: `${T}.lost` }
  /** An answer that is no success. */
  | ({ readonly type: `${T}.refused` } & RefusedAnswer);

/** What a stream reports besides. */
type StreamReported<T extends 'ws' | 'sse'> =
  | Reported<T>
  /** The server took the subscription (WebSocket), or the first bytes of a body came (SSE). */
  | { readonly type: `${T}.confirmed` }
  /** This connection has reached the cursor: all that comes now is new. */
  | { readonly type: `${T}.level` }
  /** A sign of life that carries no fact. */
  | { readonly type: `${T}.alive` };

/** Everything that the transport chart may be told. */
export type TransportEvent =
  | StreamReported<'ws'>
  | StreamReported<'sse'>
  | Reported<'poll'>
  /** A socket that was lost before it opened, without a status: browsers say no more. */
  | { readonly type: 'ws.unopened' }
  /** The server closed with a Close frame. */
  | { readonly type: 'ws.closed'; readonly closeCode: number; readonly verdict?: Classification }
  /** A proper end of the body without a terminal fact, or a 204. */
  | { readonly type: 'sse.ended' }
  /** A page with news: the next one is asked for at once. */
  | { readonly type: 'poll.page' }
  /** A page without news. */
  | { readonly type: 'poll.empty' }
  /** The auth provider failed: there is nothing to connect with. */
  | { readonly type: 'credentials.failed'; readonly error: unknown }
  /** Those of the connection that delivers will soon be too old, and newer ones are there. */
  | { readonly type: 'credentials.renewed' }
  /** Nothing can follow what was delivered. */
  | { readonly type: 'log.ended' }
  /** The cursor could not be continued from. */
  | { readonly type: 'log.gap'; readonly reason: 'trimmed' | 'reset' }
  /** Consumers are too far behind to read on. */
  | { readonly type: 'consumer.full' }
  /** They have caught up. */
  | { readonly type: 'consumer.drained' }
  /** The host says that there is no use in trying. */
  | { readonly type: 'gate.closed' }
  /** There is again. */
  | { readonly type: 'gate.opened' };

/** What one `GET /tasks/{id}` tells about a connection that ended without a word. */
export type Settlement =
  /** The task has ended and everything was delivered. */
  | { readonly outcome: 'finished' }
  /** There is more to come, or nobody could say. */
  | { readonly outcome: 'unfinished' }
  | ({ readonly outcome: 'refused' } & RefusedAnswer);
