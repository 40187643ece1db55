import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { LiveConnection } from '../../live/connections.ts';
import type { LiveHub } from '../../live/hub.ts';
import { timerQueue, type Timed } from '../../live/timer-queue.ts';
import type { AuthContext } from '../../ports/auth.ts';
import type { ServerChance } from '../../ports/chance.ts';
import type { Clock } from '../../ports/clock.ts';
import { offSocketEnd, onSocketEnd } from '../socket-end.ts';
import { sseHeaders, type SseStreamSettings } from './settings.ts';
import type { SilentPeers } from './silent-peers.ts';

/** What every event stream works with, whatever it shows: the same for all of a process. */
export interface StreamConnectionDeps {
  readonly hub: LiveHub;
  readonly settings: SseStreamSettings;
  readonly silentPeers: Pick<SilentPeers, 'watch'>;
  readonly clock: Clock;
  readonly chance: ServerChance;
}

/** A request whose answer becomes a stream. */
export interface StreamExchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** Whose stream it is; it ends with these credentials. */
  readonly auth: AuthContext;
}

/** What a stream shows. */
export interface ShownByStream {
  /** Frees it, however often it is told so. */
  close(): void;
}

/** Writes the head of a stream; false where nobody is left to read it. Throws `RATE_LIMITED` before anything is written. */
export function beginStream({ req, res, auth }: StreamExchange, { hub, settings }: StreamConnectionDeps): boolean {
  hub.assertRoom(auth.subject);
  if (res.destroyed || req.socket.destroyed) return false;
  req.socket.setTimeout(0);
  req.socket.setNoDelay(true);
  // A reset while something is written would otherwise be an uncaught error; its close follows.
  res.on('error', ignoreError);
  res.writeHead(200, sseHeaders(settings));
  return true;
}

function ignoreError(): void {}

/** Of those that came together, say after a restart, not all shall come back together. */
const AGE_JITTER = 0.1;

/** A stream that has begun: looked after until its connection is gone, its credentials or its age end it. */
export class StreamConnection implements LiveConnection, Timed {
  at = 0;
  place = -1;
  readonly auth: AuthContext;
  readonly #res: ServerResponse;
  readonly #socket: Socket;
  readonly #deps: StreamConnectionDeps;
  readonly #shown: ShownByStream;
  readonly #vanish = (): void => this.end();
  readonly #forgetPeer: () => void;
  #isOld = false;

  constructor({ req, res, auth }: StreamExchange, deps: StreamConnectionDeps, shown: ShownByStream) {
    this.auth = auth;
    this.#res = res;
    this.#deps = deps;
    this.#shown = shown;
    this.#socket = req.socket;
    // Half a connection is none: whoever stops sending is gone, whatever is still unsent.
    onSocketEnd(this.#socket, 'end', this.#vanish);
    onSocketEnd(this.#socket, 'close', this.#vanish);
    this.#forgetPeer = deps.silentPeers.watch(this.#socket, this.#vanish);
    timerQueue(deps.clock).set(this, this.#sureMs);
    deps.hub.enter(this);
    res.on('close', () => this.#leave());
  }

  /** Breaks it: nobody is there any more, or its credentials are good no more. */
  end(): void {
    this.#shown.close();
    this.#res.destroy();
  }

  /** It comes of age. */
  ring(): void {
    const { settings, clock, chance } = this.#deps;
    if (!this.#isOld) {
      this.#isOld = true;
      timerQueue(clock).set(this, Math.floor(chance.fraction() * (settings.ageMsMax - this.#sureMs)));
      return;
    }
    this.#shown.close();
    this.#res.end();
  }

  /** What every stream has. */
  get #sureMs(): number {
    return Math.floor(this.#deps.settings.ageMsMax * (1 - AGE_JITTER));
  }

  #leave(): void {
    const { hub, clock } = this.#deps;
    this.#shown.close();
    offSocketEnd(this.#socket, 'end', this.#vanish);
    offSocketEnd(this.#socket, 'close', this.#vanish);
    this.#forgetPeer();
    timerQueue(clock).clear(this);
    hub.leave(this);
  }
}
