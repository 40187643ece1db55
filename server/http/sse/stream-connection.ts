import type { IncomingMessage, ServerResponse } from 'node:http';
import type { LiveHub } from '../../live/hub.ts';
import type { AuthContext } from '../../ports/auth.ts';
import type { ServerChance } from '../../ports/chance.ts';
import type { Clock } from '../../ports/clock.ts';
import { onSocketEnd } from '../socket-end.ts';
import { sseHeaders, type SseStreamSettings } from './settings.ts';
import type { SilentPeers } from './silent-peers.ts';

/** What every event stream works with, whatever it shows. */
export interface StreamConnectionDeps {
  /** Whose stream it is; it ends with these credentials. */
  readonly auth: AuthContext;
  readonly hub: LiveHub;
  readonly settings: SseStreamSettings;
  readonly silentPeers: Pick<SilentPeers, 'watch'>;
  readonly clock: Clock;
  readonly chance: ServerChance;
}

/** Writes the head of a stream; false where nobody is left to read it. Throws `RATE_LIMITED` before anything is written. */
export function beginStream(req: IncomingMessage, res: ServerResponse, { auth, hub, settings }: StreamConnectionDeps): boolean {
  hub.assertRoom(auth.subject);
  if (res.destroyed || req.socket.destroyed) return false;
  req.socket.setTimeout(0);
  req.socket.setNoDelay(true);
  // A reset while something is written would otherwise be an uncaught error; its close follows.
  res.on('error', () => undefined);
  res.writeHead(200, sseHeaders(settings));
  return true;
}

/** Looks after a stream that has begun, until its connection is gone, its credentials or its age end it. `close` frees what it shows, however often. */
export function keepStream(req: IncomingMessage, res: ServerResponse, deps: StreamConnectionDeps, close: () => void): void {
  const vanish = (): void => {
    close();
    res.destroy();
  };
  // Half a connection is none: whoever stops sending is gone, whatever is still unsent.
  const forgetEnds = [onSocketEnd(req.socket, 'end', vanish), onSocketEnd(req.socket, 'close', vanish)];
  const forgetPeer = deps.silentPeers.watch(req.socket, vanish);
  const cancelAge = endAtAge(deps, () => {
    close();
    res.end();
  });
  const leave = deps.hub.enter(deps.auth, vanish);
  res.on('close', () => {
    close();
    for (const forget of forgetEnds) forget();
    forgetPeer();
    cancelAge();
    leave();
  });
}

/** Of those that came together, say after a restart, not all shall come back together. */
const AGE_JITTER = 0.1;

function endAtAge({ settings, clock, chance }: StreamConnectionDeps, end: () => void): () => void {
  const sureMs = Math.floor(settings.ageMsMax * (1 - AGE_JITTER));
  let timer = clock.setTimeout(() => {
    timer = clock.setTimeout(end, Math.floor(chance.fraction() * (settings.ageMsMax - sureMs)));
  }, sureMs);
  return () => clock.clearTimeout(timer);
}
