import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type ServerOptions, type WebSocket } from 'ws';
import { TaskBridgeError } from '../../errors.ts';
import { timerAt } from '../../live/timer.ts';
import { grantedExtensions, saysFallback, socketExtensions } from '../../live/extensions.ts';
import type { LiveHub } from '../../live/hub.ts';
import { OwnerCount } from '../../live/owner-count.ts';
import type { AuthContext, AuthContextResolver } from '../../ports/auth.ts';
import type { Clock } from '../../ports/clock.ts';
import { recordWriter, type RecordWriter } from '../../observability/record-writer.ts';
import type { Logger } from '../../ports/observability.ts';
import type { TaskService } from '../../task/service.ts';
import { authenticate } from '../credentials.ts';
import { callerError, refuseUpgrade } from '../error-response.ts';
import { pathPattern, pathValues } from '../path-params.ts';
import { openSocketSession } from './socket-session.ts';
import { originSet, refuseForeignOrigin } from '../origin.ts';
import { moveBearerToken, subprotocol } from './handshake.ts';
import { WaitingSockets } from './waiting-sockets.ts';

/** What the upgrade handler works with. */
export interface UpgradeHandlerDeps {
  /** Where sockets are opened: the whole path, as a server sees it; segments may be `:names`. */
  readonly path: string;
  readonly hub: LiveHub;
  readonly service: Pick<TaskService, 'authorize'>;
  readonly auth: AuthContextResolver;
  /** Pages of these origins may use cookies, beside those of the host itself. Defaults to none. */
  readonly allowedOrigins?: readonly string[];
  readonly clock: Clock;
  readonly logger?: Logger | undefined;
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

/** How long a peer has to answer a close frame, in milliseconds; then its socket is cut. */
const CLOSE_ANSWER_MS = 10_000;

class WebSocketUpgradeHandler implements UpgradeHandler {
  readonly #deps: UpgradeHandlerDeps;
  readonly #path: RegExp;
  readonly #origins: ReadonlySet<string>;
  readonly #records: RecordWriter;
  readonly #server: WebSocketServer;
  readonly #count = new OwnerCount();
  /** Sockets that watch nothing yet, or any more. */
  readonly #waiting = new WaitingSockets();
  #closing = false;

  constructor(deps: UpgradeHandlerDeps) {
    this.#deps = deps;
    this.#path = pathPattern(deps.path);
    this.#records = recordWriter(deps.logger);
    this.#origins = originSet(deps.allowedOrigins ?? []);
    // The types of ws do not know `closeTimeout` yet.
    const options: ServerOptions & { readonly closeTimeout: number } = {
      noServer: true,
      closeTimeout: CLOSE_ANSWER_MS,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: deps.hub.options.clientFrameBytesMax,
      handleProtocols: (offered) => (offered.has(subprotocol) ? subprotocol : false),
    };
    this.#server = new WebSocketServer(options);
    this.#server.on('wsClientError', ({ message }, socket) =>
      this.#refuse(socket, new TaskBridgeError('INVALID_REQUEST', `The upgrade cannot be read (${message}); send a WebSocket handshake.`)),
    );
  }

  get sockets(): number {
    return this.#count.all;
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
    this.#waiting.terminate();
  }

  async #handshake(req: IncomingMessage, socket: Duplex, head: Buffer, found: readonly string[]): Promise<void> {
    const { path, hub, auth, clock } = this.#deps;
    const cancelWait = timerAt(clock, clock.now() + hub.options.subscribeMs, () => socket.destroy());
    socket.on('error', () => socket.destroy());
    try {
      moveBearerToken(req);
      refuseForeignOrigin(req, this.#origins);
      const caller = await authenticate(auth, req, clock, pathValues(path, found).params);
      this.#assertRoom(caller);
      if (this.#closing) socket.destroy();
      else this.#server.handleUpgrade(req, socket, head, (ws) => this.#accept(ws, req, caller));
    } catch (thrown) {
      this.#refuse(socket, thrown);
    } finally {
      cancelWait();
    }
  }

  #assertRoom({ subject }: AuthContext): void {
    const { hub } = this.#deps;
    hub.assertRoom(subject, this.#waiting.count);
    const most = hub.options.socketsPerOwnerMax;
    if (this.#count.of(subject) < most) return;
    throw new TaskBridgeError('RATE_LIMITED', `This caller has ${most} sockets open, the most that one may; close one first.`, {
      retryAfterSeconds: 5,
    });
  }

  #accept(ws: WebSocket, req: IncomingMessage, auth: AuthContext): void {
    const { hub, service, clock, logger } = this.#deps;
    const asked = new URLSearchParams(req.url?.split('?')[1]).get('extensions');
    if (saysFallback(asked)) hub.countFallback('ws');
    const leave = this.#count.enter(auth.subject);
    this.#waiting.add(ws, auth.subject);
    ws.once('close', () => {
      leave();
      this.#waiting.delete(ws);
    });
    openSocketSession({
      ws,
      socket: req.socket,
      auth,
      extensions: grantedExtensions(asked, socketExtensions),
      hub,
      service,
      clock,
      logger,
      records: this.#records,
      onSubscribed: () => this.#waiting.delete(ws),
      onIdle: () => this.#waiting.add(ws, auth.subject),
    });
  }

  #refuse(socket: Duplex, thrown: unknown): void {
    const { clock, logger } = this.#deps;
    refuseUpgrade(socket, callerError(thrown, logger), clock);
  }
}
