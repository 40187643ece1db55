import type { IncomingMessage, ServerResponse } from 'node:http';
import type { StreamExtension } from '../../live/extensions.ts';
import type { LiveHub } from '../../live/hub.ts';
import type { LogRun } from '../../live/log-read.ts';
import type { AuthContext } from '../../ports/auth.ts';
import type { ServerChance } from '../../ports/chance.ts';
import type { Clock } from '../../ports/clock.ts';
import { onSocketEnd } from '../socket-end.ts';
import { sseHeaders, type SseStreamSettings } from './settings.ts';
import type { SilentPeers } from './silent-peers.ts';
import { SseViewer } from './viewer.ts';

/** What an SSE stream is opened with. */
export interface SseStream {
  readonly taskId: string;
  /** Whose stream it is; it ends with these credentials. */
  readonly auth: AuthContext;
  /** The cursor as it was sent, checked. */
  readonly cursor: string | undefined;
  /** See `grantedExtensions`. */
  readonly extensions?: readonly StreamExtension[] | undefined;
  /** The first page, where it was read beforehand. */
  readonly first?: LogRun | undefined;
  readonly hub: LiveHub;
  readonly settings: SseStreamSettings;
  readonly silentPeers: Pick<SilentPeers, 'watch'>;
  readonly clock: Clock;
  readonly chance: ServerChance;
}

/**
 * Answers a request with the stream of one task: 200, a heartbeat at once, then every fact after the cursor.
 *
 * The caller has checked credentials, ownership and cursor, and hands the response over when this returns (on Koa: `ctx.respond = false`).
 * Throws `RATE_LIMITED` before anything is written.
 */
export function openSse(req: IncomingMessage, res: ServerResponse, stream: SseStream): void {
  const { taskId, auth, cursor, extensions, first, hub, settings, silentPeers, clock, chance } = stream;
  const { subject: owner, expiresAt: cutAt } = auth;
  hub.assertRoom(owner);
  if (res.destroyed || req.socket.destroyed) return;
  req.socket.setTimeout(0);
  req.socket.setNoDelay(true);
  // A reset while something is written would otherwise be an uncaught error; its close follows.
  res.on('error', () => undefined);
  res.writeHead(200, sseHeaders(settings));
  const viewer = new SseViewer({ taskId, owner, res, extensions, settings, clock, chance });
  viewer.open();
  const subscription = hub.subscribe(taskId, viewer, cursor, { cutAt, first });
  const vanish = (): void => {
    subscription.close();
    res.destroy();
  };
  // Half a connection is none: whoever stops sending is gone, whatever is still unsent.
  const forgetEnds = [onSocketEnd(req.socket, 'end', vanish), onSocketEnd(req.socket, 'close', vanish)];
  const forgetPeer = silentPeers.watch(req.socket, vanish);
  const cancelAge = endAtAge(stream, () => {
    subscription.close();
    res.end();
  });
  const leave = hub.enter(auth, vanish);
  res.once('close', () => {
    subscription.close();
    for (const forget of forgetEnds) forget();
    forgetPeer();
    cancelAge();
    leave();
  });
}

/** Of those that came together, say after a restart, not all shall come back together. */
const AGE_JITTER = 0.1;

function endAtAge({ settings, clock, chance }: SseStream, end: () => void): () => void {
  const sureMs = Math.floor(settings.ageMsMax * (1 - AGE_JITTER));
  let timer = clock.setTimeout(() => {
    timer = clock.setTimeout(end, Math.floor(chance.fraction() * (settings.ageMsMax - sureMs)));
  }, sureMs);
  return () => clock.clearTimeout(timer);
}
