import type { TransportName } from '../machines/wire/index.ts';

/** Something that was survived, for logs and diagnosis. Never holds payloads or credentials. */
export type ClientReport =
  /** A frame or an event of a page was skipped: nothing could be told from it. */
  | { readonly type: 'malformed'; readonly taskId: string; readonly transport: TransportName; readonly reason: string }
  /** Facts are missing, or the history was replaced; `firstEventId` is where it goes on. */
  | { readonly type: 'gap'; readonly taskId: string; readonly reason: 'trimmed' | 'reset'; readonly firstEventId: string | null }
  /** A connection ended. */
  | { readonly type: 'lost'; readonly taskId: string; readonly transport: TransportName; readonly reason: string }
  /** The checkpoint store failed, or what it held could not be used. */
  | { readonly type: 'checkpoint'; readonly taskId: string; readonly reason: string; readonly cause?: unknown }
  /** The snapshot could not be had; the projection is partial until the log says more. */
  | { readonly type: 'partial'; readonly taskId: string; readonly cause: unknown };
