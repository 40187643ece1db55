import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type ServerOptions, type WebSocket } from 'ws';
import { TaskBridgeError } from '../../errors.ts';
import { grantedExtensions, saysFallback, socketExtensions } from '../../live/extensions.ts';
import type { LiveHub } from '../../live/hub.ts';
import { FrameRate } from '../../live/frame-rate.ts';
import { OwnerCount } from '../../live/owner-count.ts';
import { recordWriter } from '../../observability/record-writer.ts';
import type { AuthContext } from '../../ports/auth.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/observability.ts';
import type { TaskService } from '../../task/service.ts';
import { callerError, refuseUpgrade } from '../error-response.ts';
import { originSet, refuseForeignOrigin, type OriginSet } from '../origin.ts';
import { subprotocol } from './handshake.ts';
import { webSocketStreamDefaults, type WebSocketStreamSettings } from './settings.ts';
import { SocketConnection, type SocketConnectionDeps } from './socket-connection.ts';
import { openSocketSession } from './socket-session.ts';
import { WaitingSockets } from './waiting-sockets.ts';

/** What the socket sessions of a process work with. */
export interface SocketSessionsDeps {
  readonly hub: LiveHub;
  readonly service: Pick<TaskService, 'authorize' | 'forget'>;
  /** Defaults to `webSocketStreamDefaults`. */
  readonly settings?: WebSocketStreamSettings;
  /** Pages of these origins may use cookies, beside those of the host itself. Defaults to none. */
  readonly allowedOrigins?: readonly string[];
  readonly clock: Clock;
  readonly logger?: Logger | undefined;
}

/** How long a peer has to answer a close frame, in milliseconds; then its socket is cut. */
const CLOSE_ANSWER_MS = 10_000;

/** Most pieces of one message, and most pieces of one frame that wait for the rest of it: 1008 beyond. */
const [FRAGMENTS_MAX, CHUNKS_MAX] = [64, 1024];

const TAKEN_TWICE = 'A WebSocket was handed on that somebody has taken already; give each upgrade to one listener.';

/** All WebSockets of this process, whichever route they came by. Throws a `RangeError` for a wrong origin. */
export class SocketSessions {
  readonly #deps: SocketSessionsDeps;
  readonly #origins: OriginSet;
  readonly #server: WebSocketServer;
  readonly #count = new OwnerCount();
  readonly #waiting = new WaitingSockets();
  /** What all sockets work with. */
  readonly #connected: SocketConnectionDeps;
  /** What was taken or refused, of either kind: it has had its answer, and whatever else is written to it breaks a conversation. */
  readonly #answered = new WeakSet<Duplex | WebSocket>();
  #closing = false;

  constructor(deps: SocketSessionsDeps) {
    this.#deps = deps;
    this.#origins = originSet(deps.allowedOrigins ?? []);
    const { hub, service, clock, logger, settings = webSocketStreamDefaults } = deps;
    this.#connected = {
      hub,
      settings,
      service,
      clock,
      logger,
      records: recordWriter(logger),
      count: this.#count,
      frames: new FrameRate({ clock, framesPerSecondMax: hub.options.framesPerSecondMax }),
      waiting: this.#waiting,
    };
    // The types of ws do not know all of them yet.
    const options: ServerOptions & { readonly closeTimeout: number; readonly maxFragments: number; readonly maxBufferedChunks: number } = {
      noServer: true,
      closeTimeout: CLOSE_ANSWER_MS,
      clientTracking: false,
      perMessageDeflate: false,
      // Each piece of a frame costs more than what it carries.
      maxFragments: FRAGMENTS_MAX,
      maxBufferedChunks: CHUNKS_MAX,
      maxPayload: hub.options.clientFrameBytesMax,
      handleProtocols: (offered) => (offered.has(subprotocol) ? subprotocol : false),
    };
    this.#server = new WebSocketServer(options);
    this.#server.on('wsClientError', ({ message }, socket) =>
      this.refuse(socket, new TaskBridgeError('INVALID_REQUEST', `The upgrade cannot be read (${message}); send a WebSocket handshake.`)),
    );
  }

  /** Sockets that are open, now. */
  get count(): number {
    return this.#count.all;
  }

  /** Throws `ORIGIN_NOT_ALLOWED` for a page that may not use this server's cookies; `isKnown` where the host has looked at them before. */
  checkOrigin(req: IncomingMessage, isKnown = false): void {
    refuseForeignOrigin(req, this.#origins, isKnown);
  }

  /** Takes the upgrade of somebody who is known; leaves one alone that has its answer. Throws `RATE_LIMITED`. */
  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer, auth: AuthContext): void {
    if (this.#hasAnswer(socket)) return;
    this.#assertRoom(auth);
    if (this.#closing) return void socket.destroy();
    try {
      this.#server.handleUpgrade(req, socket, head, (ws) => {
        this.#answered.add(socket);
        this.#open(ws, req, auth);
      });
    } catch (error) {
      // Another server of ws has taken it.
      this.#deps.logger?.error(TAKEN_TWICE, { error });
    }
  }

  /** Talks over a socket that the host has taken already: nothing of what came over it must be lost. Cuts one that is not open (any more). Throws `RATE_LIMITED`. */
  accept(ws: WebSocket, req: IncomingMessage, auth: AuthContext): void {
    if (this.#hasAnswer(ws)) return;
    // One that has ended before it came here does not say so again: it would count as open for good.
    if (this.#closing || ws.readyState !== ws.OPEN) return ws.terminate();
    this.#assertRoom(auth);
    // Frames of clients are read as one buffer each.
    ws.binaryType = 'nodebuffer';
    this.#open(ws, req, auth);
  }

  /** Answers an upgrade with what was thrown; leaves one alone that has its answer. */
  refuse(socket: Duplex, thrown: unknown): void {
    if (this.#hasAnswer(socket)) return;
    this.#answered.add(socket);
    const { clock, logger } = this.#deps;
    refuseUpgrade(socket, callerError(thrown, logger), clock);
  }

  /** Takes no more sockets and breaks what has not subscribed yet; the hub's own `close` cuts the others. */
  close(): void {
    this.#closing = true;
    this.#waiting.terminate();
  }

  #hasAnswer(socket: Duplex | WebSocket): boolean {
    if (!this.#answered.has(socket)) return false;
    this.#deps.logger?.error(TAKEN_TWICE, { error: new Error('It had its answer.') });
    return true;
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

  #open(ws: WebSocket, req: IncomingMessage, auth: AuthContext): void {
    const { hub } = this.#deps;
    const asked = new URLSearchParams(req.url?.split('?')[1]).get('extensions');
    if (saysFallback(asked)) hub.countFallback('ws');
    this.#answered.add(ws);
    const extensions = grantedExtensions(asked, socketExtensions, hub.hasParts);
    openSocketSession(new SocketConnection(this.#connected, { ws, socket: req.socket, auth, extensions }));
  }
}
