import type { PartCursors } from '../../../machines/parts/index.ts';
import type { StreamExtension } from '../../live/extensions.ts';
import type { LogRun } from '../../live/log-read.ts';
import { beginStream, StreamConnection, type StreamConnectionDeps, type StreamExchange } from './stream-connection.ts';
import { SseViewer } from './viewer.ts';

/** What an SSE stream is opened with. */
export interface SseStream extends StreamExchange {
  readonly taskId: string;
  /** The cursor as it was sent, checked. */
  readonly cursor: string | undefined;
  /** See `grantedExtensions`. */
  readonly extensions?: readonly StreamExtension[] | undefined;
  /** See `askedParts`. */
  readonly parts?: PartCursors | undefined;
  /** The first page, where it was read beforehand. */
  readonly first?: LogRun | undefined;
}

/**
 * Answers a request with the stream of one task: 200, a heartbeat at once, then every fact after the cursor.
 *
 * The caller has checked credentials, ownership and cursor, and hands the response over when this returns (on Koa: `ctx.respond = false`).
 * Throws `RATE_LIMITED` before anything is written.
 */
export function openSse(stream: SseStream, deps: StreamConnectionDeps): void {
  const { taskId, res, auth, cursor, extensions, parts, first } = stream;
  const { subject: owner, expiresAt: cutAt } = auth;
  if (!beginStream(stream, deps)) return;
  const viewer = new SseViewer({ taskId, owner, res, extensions }, deps);
  viewer.open();
  new StreamConnection(stream, deps, deps.hub.subscribe(taskId, viewer, cursor, { cutAt, first, parts }));
}
