import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { pathNames } from '../../../machines/routes/index.ts';
import { timerAfter } from '../../live/timer.ts';
import type { AuthContextResolver } from '../../ports/auth.ts';
import { authenticate } from '../credentials.ts';
import { pathPattern, pathValues } from '../path-params.ts';
import { moveBearerToken } from './handshake.ts';
import { SocketSessions, type SocketSessionsDeps } from './socket-sessions.ts';

/** What the upgrade handler works with. */
export interface UpgradeHandlerDeps extends SocketSessionsDeps {
  /** Where sockets are opened: the whole path, as a server sees it; segments may be `:names`. */
  readonly path: string;
  readonly auth: AuthContextResolver;
  /** Where all sockets of the process are counted. Defaults to sessions of its own. */
  readonly sessions?: SocketSessions;
}

/** Where WebSockets come in. */
export interface UpgradeHandler {
  /** Sockets that are open, now. */
  readonly sockets: number;
  /**
   * For the `upgrade` event of the host's server. Takes its own path only and gives false for every other path, which is left to
   * other listeners. What is refused gets an HTTP answer with the error envelope.
   */
  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): boolean;
  /** Takes no more upgrades and breaks what has not subscribed yet; the hub's own `close` cuts the others. */
  close(): void;
}

/** Makes the upgrade handler. Throws a `RangeError` for a wrong origin. */
export function createUpgradeHandler(deps: UpgradeHandlerDeps): UpgradeHandler {
  return new WebSocketUpgradeHandler(deps);
}

class WebSocketUpgradeHandler implements UpgradeHandler {
  readonly #deps: UpgradeHandlerDeps;
  readonly #path: RegExp;
  readonly #names: readonly string[];
  readonly #sessions: SocketSessions;
  #closing = false;

  constructor(deps: UpgradeHandlerDeps) {
    this.#deps = deps;
    this.#path = pathPattern(deps.path);
    this.#names = pathNames(deps.path);
    this.#sessions = deps.sessions ?? new SocketSessions(deps);
  }

  get sockets(): number {
    return this.#sessions.count;
  }

  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    const match = this.#path.exec(req.url?.split('?')[0] ?? '');
    if (!match) return false;
    if (this.#closing) socket.destroy();
    else void this.#handshake(req, socket, head, match.slice(1));
    return true;
  }

  close(): void {
    this.#closing = true;
    this.#sessions.close();
  }

  async #handshake(req: IncomingMessage, socket: Duplex, head: Buffer, found: readonly string[]): Promise<void> {
    const { hub, auth, clock } = this.#deps;
    const cancelWait = timerAfter(clock, hub.options.subscribeMs, () => socket.destroy());
    socket.on('error', () => socket.destroy());
    try {
      // First, while what the browser added by itself and what the page brought can be told apart.
      this.#sessions.checkOrigin(req);
      moveBearerToken(req);
      const caller = await authenticate(auth, req, clock, pathValues(this.#names, found).params);
      this.#sessions.upgrade(req, socket, head, caller);
    } catch (thrown) {
      this.#sessions.refuse(socket, thrown);
    } finally {
      cancelWait();
    }
  }
}
