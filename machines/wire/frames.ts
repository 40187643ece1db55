import type { Gap } from './commands.ts';
import type { FactPayload } from './facts.ts';

/** First frame that a WebSocket sends, before any event. */
export interface SubscriptionConfirmedFrame {
  readonly type: 'SUBSCRIPTION_CONFIRMED';
  readonly taskId: string;
  /** The cursor as it was sent; null for none or `''`. */
  readonly replayStartedAfterEventId: string | null;
  readonly live: true;
  /** The extensions that this server granted, where the client asked for any. */
  readonly extensions?: readonly string[];
}

/** What an idle WebSocket sends. */
export interface HeartbeatFrame {
  readonly type: 'HEARTBEAT';
  readonly taskId: string;
  readonly live: true;
}

/** What an idle SSE stream sends, without an `id:` line; the five fields that published clients expect. */
export interface SseHeartbeatFrame {
  readonly type: 'HEARTBEAT';
  readonly taskId: string;
  readonly eventId: string;
  readonly createdAt: string;
  readonly payload: { readonly live: true; readonly extensions?: readonly string[] };
}

/** Tells a WebSocket client that asked (`extensions=gap`) that its cursor could not be continued from. */
export interface GapFrame extends Gap {
  readonly type: 'GAP';
  readonly taskId: string;
}

/** The same on SSE. */
export interface SseGapFrame {
  readonly type: 'GAP';
  readonly taskId: string;
  readonly eventId: string;
  readonly createdAt: string;
  readonly payload: Gap;
}

/**
 * Text of a part that is open, for clients that asked for it (`extensions=parts`): what is between two places of the part, in bytes of UTF-8. What follows it, or what
 * the client had, begins where it ends. A client that was cut goes on with a part cursor, see `readPartCursors`. Of `latest` the text is the whole value as JSON, `to` its
 * version, which only rises: one that comes late may leave some out.
 */
export interface PartFrame {
  readonly type: 'PART';
  readonly taskId: string;
  /** The number of the fact that opened it. */
  readonly part: number;
  readonly at: number;
  readonly to: number;
  readonly text: string;
  /** The id of that fact: with the first frame of a connection, as `name` and `kind`, where the log still has it. */
  readonly eventId?: string;
  readonly name?: string;
  readonly kind?: FactPayload<'TASK_PART_OPENED'>['kind'];
  /** This is the first frame of the part on this connection. */
  readonly snapshot?: true;
  /** What the client had of it does not count any more: it begins anew, at 0. */
  readonly reset?: true;
  /** For the cursor: with the first frame, and where it has changed. */
  readonly epoch?: string;
}

/** What a WebSocket that was granted `multiplex` sends before anything else, so that nobody has to wait for the first task's answer. */
export interface ExtensionsGrantedFrame {
  readonly type: 'EXTENSIONS_GRANTED';
  readonly extensions: readonly string[];
}

/** Ends one subscription of a WebSocket that was granted `multiplex`; every subscribe frame there gets exactly one, now or later. */
export interface SubscriptionEndedFrame {
  readonly type: 'SUBSCRIPTION_ENDED';
  /** As it was sent. */
  readonly taskId: string;
  /** The close code that a socket of the task's own would have ended with; 1006 where it would have been cut. */
  readonly code: number;
  /** For people. */
  readonly reason: string;
}

/** Frames that are no facts. */
export type ControlFrame =
  | ExtensionsGrantedFrame
  | SubscriptionConfirmedFrame
  | SubscriptionEndedFrame
  | HeartbeatFrame
  | SseHeartbeatFrame
  | GapFrame
  | SseGapFrame;
/** The types of the control frames. */
export const controlFrameTypes = ['EXTENSIONS_GRANTED', 'SUBSCRIPTION_CONFIRMED', 'SUBSCRIPTION_ENDED', 'HEARTBEAT', 'GAP'] as const;
