import type { TransportName } from '../machines/wire/index.ts';
import type { CallContext } from './auth/credentials.ts';

/** Something that was survived, for logs and diagnosis. Never holds payloads or credentials. */
export type ClientReport =
  | (ReportMoment & WireReport)
  | (ReportMoment &
      (
        | /** The checkpoint store failed, or what it held could not be used. */
          { readonly type: 'checkpoint'; readonly reason: string; readonly cause?: unknown }
          /** The snapshot could not be had; the projection is partial until the log says more. */
        | { readonly type: 'partial'; readonly cause: unknown }
      ))
  /** A function of the host has thrown: a hook of `listener`, `classify`, `retryPolicy`, `gate`, `networkChanges`, `inspect` or `onUpload`, by its name. */
  | (Partial<ReportMoment> & { readonly type: 'hook'; readonly hook: string; readonly cause: unknown });

/** Whose it was. */
export interface ReportMoment {
  readonly taskId: string;
  /** That of the observation or call; absent where there was none. */
  readonly context?: CallContext | undefined;
}

/** What happened on a connection, and over which transport. */
export type WireReport = { readonly transport: TransportName } & (
  | /** A frame or an event of a page was skipped: nothing could be told from it. */
    { readonly type: 'malformed'; readonly reason: string }
    /** Facts are missing, or the history was replaced; `firstEventId` is where it goes on. */
  | { readonly type: 'gap'; readonly reason: 'trimmed' | 'reset'; readonly firstEventId: string | null }
  /** A connection ended. */
  | { readonly type: 'lost'; readonly reason: string }
);
