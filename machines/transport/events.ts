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

/**
 * Whose word the place is that is read on from. `stored`: that of a checkpoint, with which nobody has been answered yet. `dropped`: it was refused, and the
 * log is read from its start. `trusted`: there is no use in doubting it.
 */
export type CursorTrust = 'stored' | 'dropped' | 'trusted';

/** What the charts of one observation begin with. */
export interface TransportInput {
  readonly tries: Tries;
  /** Defaults to `trusted`. */
  readonly cursor?: CursorTrust;
  readonly strategy: Strategy;
  /** True where there is a provider that can be asked for new credentials. */
  readonly refreshable: boolean;
}

/** An answer that is no success. */
export interface RefusedAnswer {
  readonly status: number;
  /** The code of the error envelope; without one, somebody else has answered: a proxy, a portal. */
  readonly code?: string;
  readonly message?: string;
  /** What the server asked to wait, in milliseconds. */
  readonly retryAfterMs?: number;
  readonly verdict?: Classification;
  /** Nobody at this address has spoken the protocol so far. */
  readonly isUnknown?: boolean;
}

/** What the host says of a failure, before the protocol's own rule is asked: a loss like any other, or no use in trying again. */
export type Classification = 'retry' | 'final';

/** How a connection ended; what comes of it is decided in the recovery. */
export type ConnectionEnding =
  /** A cut, a torn body, a network error, a hole, silence, three malformed frames in a row. `error` is what was thrown, where something was. */
  | { readonly kind: 'lost'; readonly error?: unknown; readonly verdict?: Classification }
  /** It said nothing, while another connection was answered. */
  | { readonly kind: 'mute' }
  /** A socket that was lost before it opened, without a status: browsers say no more. */
  | { readonly kind: 'unopened' }
  /** The server closed with a Close frame. */
  | { readonly kind: 'closed'; readonly closeCode: number; readonly verdict?: Classification; readonly isUnknown?: boolean }
  /** A proper end of a body without a terminal fact, or a 204. */
  | { readonly kind: 'ended' }
  /** An answer that is no success. */
  | ({ readonly kind: 'refused' } & RefusedAnswer)
  /** The auth provider failed: there is nothing to connect with yet. */
  | { readonly kind: 'unauthorized'; readonly error: unknown; readonly verdict?: Classification }
  /** There is nothing that could be sent: a route of the host's own is none. */
  | { readonly kind: 'unsendable'; readonly error: unknown; readonly verdict?: Classification }
  /** A poll was due, and the gate is closed. */
  | { readonly kind: 'gated' };

/** What one connection's chart begins with. */
export interface ConnectionStart {
  readonly transport: TransportName;
}

/** What a connection is told: by the wire, by its credentials, by the gate. None of them decides what comes next. */
export type ConnectionEvent =
  /** The request is on its way: it had to wait for credentials. */
  | { readonly type: 'wire.asked' }
  /** The server took the subscription (WebSocket), or the first bytes of a body came (SSE). */
  | { readonly type: 'wire.confirmed' }
  /** This connection has reached the cursor: all that comes now is new. */
  | { readonly type: 'wire.level' }
  /** A sign of life that carries no fact. */
  | { readonly type: 'wire.alive' }
  /** At least one fact that was not delivered before. */
  | { readonly type: 'wire.facts' }
  /** A frame that nothing can be told from. */
  | { readonly type: 'wire.malformed' }
  /** A page with news: the next one is asked for at once. */
  | { readonly type: 'wire.page' }
  /** A page without news. */
  | { readonly type: 'wire.empty' }
  | { readonly type: 'wire.ended'; readonly ending: ConnectionEnding }
  /** Those of this connection will soon be too old, and newer ones are there. */
  | { readonly type: 'credentials.renewed' }
  /** Another connection, begun after it, was answered. */
  | { readonly type: 'other.answered' }
  /** The host says that there is no use in trying. */
  | { readonly type: 'gate.closed' }
  /** There is again, or was all the time. */
  | { readonly type: 'gate.opened' };

/** What a connection tells the transport chart. */
export type ConnectionMessage = { readonly transport: TransportName } & (
  | /** It waits for the gate. */ { readonly type: 'connection.offline' }
    /** It has waited, and goes on. */
  | { readonly type: 'connection.opening' }
  /** Its request went out a while ago, and nothing came. */
  | { readonly type: 'connection.silent' }
  /** It works. */
  | { readonly type: 'connection.live' }
  /** It has reached the cursor. */
  | { readonly type: 'connection.level' }
  /** Something came; `hasFacts` where that were facts. */
  | { readonly type: 'connection.heard'; readonly hasFacts: boolean }
  /** Newer credentials than its own are there. */
  | { readonly type: 'connection.renewed' }
);

/** What is told of a connection that is over: by XState, in its words. */
export interface ConnectionOver {
  readonly type: `xstate.done.actor.${TransportName}`;
  readonly actorId: TransportName;
  readonly output: ConnectionEnding;
}

/** Everything that the transport chart may be told. */
export type TransportEvent =
  | ConnectionMessage
  | ConnectionOver
  /** Nothing can follow what was delivered. */
  | { readonly type: 'log.ended' }
  /** The cursor could not be continued from. */
  | { readonly type: 'log.gap'; readonly reason: 'trimmed' | 'reset' }
  /** Consumers are too far behind to read on. */
  | { readonly type: 'consumer.full' }
  /** They have caught up. */
  | { readonly type: 'consumer.drained' }
  /** What was opened before may be dead without a word: another network, a page that was frozen. */
  | { readonly type: 'network.changed' }
  /** A loss lies behind, or time has passed: those that were good may have ended. */
  | { readonly type: 'credentials.aged' }
  /** There are new ones, which nobody has tried. */
  | { readonly type: 'credentials.refreshed' };

/** What one `GET /tasks/{id}` tells about a connection that ended without a word. */
export type Settlement =
  /** The task has ended and everything was delivered. */
  | { readonly outcome: 'finished' }
  /** There is more to come, or nobody could say. */
  | { readonly outcome: 'unfinished' }
  | ({ readonly outcome: 'refused' } & RefusedAnswer);

/** What came of asking for new credentials. */
export type RefreshAnswer =
  | { readonly outcome: 'given' }
  /** There are none, and there will be none: nobody is signed in. */
  | { readonly outcome: 'none' }
  /** The provider failed. */
  | { readonly outcome: 'failed'; readonly error: unknown; readonly verdict?: Classification };

/** What new credentials may still help against, after what the last ones met. */
export type Refreshable =
  /** They are the newest there can be. */
  | 'nothing'
  /** A 401: they worked, and may have ended since. */
  | 'unauthorized'
  /** Also a close for good: something came with them. */
  | 'closed';

/** What a recovery begins with. */
export interface RecoveryInput {
  readonly transport: TransportName;
  readonly ending: ConnectionEnding;
  readonly refreshable: Refreshable;
  readonly cursor: CursorTrust;
}

/** What comes after a connection. */
export interface RecoveryOutput {
  /**
   * `finished`: the whole log was delivered. `lost`: try again. `barred`: try others for a while. `routeless`: this server has no such route.
   * `refreshed`: once more, with new credentials. `misplaced`: once more, from the start of the log. `failed`: there is no use in trying again.
   */
  readonly next: 'finished' | 'lost' | 'barred' | 'routeless' | 'refreshed' | 'misplaced' | 'failed';
  /** What was refused, where it failed or was misplaced. */
  readonly failure: TransportFailure | null;
  /** What the server asked to wait, in milliseconds. */
  readonly retryAfterMs: number;
}
