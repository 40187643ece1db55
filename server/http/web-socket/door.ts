import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { TaskBridgeError } from '../../errors.ts';
import { alarm } from '../../live/alarm.ts';
import { grantedExtensions } from '../../live/extensions.ts';
import type { LiveHub } from '../../live/hub.ts';
import type { AuthContext, AuthContextResolver } from '../../ports/auth.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/observability.ts';
import type { TaskService } from '../../task/service.ts';
import { authenticate } from '../credentials.ts';
import { callerError, refuseUpgrade } from '../envelope.ts';
import { routePrefix } from '../prefix.ts';
import { converse } from './conversation.ts';
import { moveBearerToken, originSet, refuseForeignOrigin, subprotocol } from './handshake.ts';

/** What the door for WebSockets needs. */
export interface WebSocketDoorContext {
  /** The prefix of the routes: `/api/v1`; segments may be `:names`. */
  readonly prefix: string;
  readonly hub: LiveHub;
  readonly service: Pick<TaskService, 'authorize'>;
  readonly auth: AuthContextResolver;
  /** Pages of these origins may use cookies, beside those of the host itself. Defaults to none. */
  readonly allowedOrigins?: readonly string[];
  readonly clock: Clock;
  readonly logger?: Logger | undefined;
}

/** Where WebSockets come in. */
export interface WebSocketDoor {
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

/** Makes the door. Throws a `RangeError` for a wrong prefix or origin. */
export function createWebSocketDoor({ prefix, hub, service, auth, allowedOrigins = [], clock, logger }: WebSocketDoorContext): WebSocketDoor {
  const path = new RegExp(`^${routePrefix(prefix).replaceAll('.', '\\.').replaceAll(/:[^/]+/g, '[^/]+')}/tasks/ws$`);
  const origins = originSet(allowedOrigins);
  const { subscribeMs, clientFrameBytesMax, socketsPerOwnerMax } = hub.options;
  const waiting = new Set<WebSocket>();
  const owners = new Map<string, number>();
  let sockets = 0;
  let closing = false;
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: clientFrameBytesMax,
    handleProtocols: (offered) => (offered.has(subprotocol) ? subprotocol : false),
  });
  server.on('wsClientError', (error, socket) =>
    refuse(socket, new TaskBridgeError('INVALID_REQUEST', `The upgrade cannot be read (${error.message}); send a WebSocket handshake.`)),
  );

  function refuse(socket: Duplex, thrown: unknown): void {
    // Nobody reads this connection any more, so that its end would never be seen.
    socket.once('finish', () => socket.destroy());
    refuseUpgrade(socket, callerError(thrown, logger), clock);
  }

  async function handshake(req: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const cancelWait = alarm(clock, clock.now() + subscribeMs, () => socket.destroy());
    socket.on('error', () => socket.destroy());
    try {
      moveBearerToken(req);
      refuseForeignOrigin(req, origins);
      const context = await authenticate(auth, req, clock);
      assertRoom(context);
      if (closing) socket.destroy();
      else server.handleUpgrade(req, socket, head, (ws) => accept(ws, req, context));
    } catch (thrown) {
      refuse(socket, thrown);
    } finally {
      cancelWait();
    }
  }

  function assertRoom({ subject }: AuthContext): void {
    hub.assertRoom(waiting.size);
    if ((owners.get(subject) ?? 0) < socketsPerOwnerMax) return;
    throw new TaskBridgeError('RATE_LIMITED', `This caller has ${socketsPerOwnerMax} sockets open, the most that one may; close one first.`, {
      retryAfterSeconds: 5,
    });
  }

  function accept(ws: WebSocket, req: IncomingMessage, context: AuthContext): void {
    const { subject } = context;
    const query = new URLSearchParams(req.url?.split('?')[1]);
    sockets += 1;
    owners.set(subject, (owners.get(subject) ?? 0) + 1);
    waiting.add(ws);
    ws.once('close', () => {
      sockets -= 1;
      waiting.delete(ws);
      const left = (owners.get(subject) ?? 1) - 1;
      if (left > 0) owners.set(subject, left);
      else owners.delete(subject);
    });
    converse({
      ws,
      socket: req.socket,
      auth: context,
      extensions: grantedExtensions(query.get('extensions')),
      hub,
      service,
      clock,
      logger,
      onSubscribed: () => waiting.delete(ws),
    });
  }

  return {
    get sockets() {
      return sockets;
    },
    upgrade(req, socket, head) {
      if (!path.test(req.url?.split('?')[0] ?? '')) return false;
      if (closing) socket.destroy();
      else void handshake(req, socket, head);
      return true;
    },
    close() {
      closing = true;
      for (const ws of waiting) ws.terminate();
    },
  };
}
