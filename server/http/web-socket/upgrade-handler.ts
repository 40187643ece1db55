import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { timerAt } from '../../live/timer.ts';
import type { AuthContextResolver } from '../../ports/auth.ts';
import { authenticate } from '../credentials.ts';
import { routePrefix } from '../prefix.ts';
import { moveBearerToken } from './handshake.ts';
import { SocketSessions, type SocketSessionsDeps } from './socket-sessions.ts';

/** What the upgrade handler works with. */
export interface UpgradeHandlerDeps extends SocketSessionsDeps {
  /** The prefix of the routes: `/api/v1`; segments may be `:names`. */
  readonly prefix: string;
  readonly auth: AuthContextResolver;
  /** Where all sockets of the process are counted. Defaults to sessions of its own. */
  readonly sessions?: SocketSessions;
}

/** Where WebSockets come in. */
export interface UpgradeHandler {
  /** Sockets that are open, now. */
  readonly sockets: number;
  /**
   * For the `upgrade` event of the host's server. Takes `<prefix>/tasks/ws` only and gives false for every other path, which is left to
   * other listeners. What is refused gets an HTTP answer with the error envelope.
   */
  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): boolean;
  /** Takes no more upgrades and breaks what has not subscribed yet; the hub's own `close` cuts the others. */
  close(): void;
}

/** Makes the upgrade handler. Throws a `RangeError` for a wrong prefix or origin. */
export function createUpgradeHandler(deps: UpgradeHandlerDeps): UpgradeHandler {
  return new WebSocketUpgradeHandler(deps);
}

class WebSocketUpgradeHandler implements UpgradeHandler {
  readonly #deps: UpgradeHandlerDeps;
  readonly #path: RegExp;
  readonly #sessions: SocketSessions;
  #closing = false;

  constructor(deps: UpgradeHandlerDeps) {
    this.#deps = deps;
    this.#path = new RegExp(
      `^${routePrefix(deps.prefix)
        .replaceAll('.', '\\.')
        .replaceAll(/:[^/]+/g, '[^/]+')}/tasks/ws$`,
    );
    this.#sessions = deps.sessions ?? new SocketSessions(deps);
  }

  get sockets(): number {
    return this.#sessions.count;
  }

  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    if (!this.#path.test(req.url?.split('?')[0] ?? '')) return false;
    if (this.#closing) socket.destroy();
    else void this.#handshake(req, socket, head);
    return true;
  }

  close(): void {
    this.#closing = true;
    this.#sessions.close();
  }

  async #handshake(req: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { hub, auth, clock } = this.#deps;
    const cancelWait = timerAt(clock, clock.now() + hub.options.subscribeMs, () => socket.destroy());
    socket.on('error', () => socket.destroy());
    try {
      moveBearerToken(req);
      this.#sessions.checkOrigin(req);
      const caller = await authenticate(auth, req, clock);
      this.#sessions.upgrade(req, socket, head, caller);
    } catch (thrown) {
      this.#sessions.refuse(socket, thrown);
    } finally {
      cancelWait();
    }
  }
}
