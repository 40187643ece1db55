import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import type { LiveConnection } from '../../live/connections.ts';
import type { StreamExtension } from '../../live/extensions.ts';
import type { FrameRate } from '../../live/frame-rate.ts';
import type { LiveHub } from '../../live/hub.ts';
import type { OwnerCount } from '../../live/owner-count.ts';
import { timerAt, timerQueue, type Timed } from '../../live/timer-queue.ts';
import type { RecordWriter } from '../../observability/record-writer.ts';
import type { AuthContext } from '../../ports/auth.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/observability.ts';
import type { TaskService } from '../../task/service.ts';
import { SocketReading } from './reading.ts';
import type { WebSocketStreamSettings } from './settings.ts';
import type { WaitingSockets } from './waiting-sockets.ts';

/** What connections and their sessions work with: the same for all of a process. */
export interface SocketConnectionDeps {
  readonly hub: LiveHub;
  readonly settings: WebSocketStreamSettings;
  readonly service: Pick<TaskService, 'authorize' | 'forget'>;
  readonly clock: Clock;
  readonly logger: Logger | undefined;
  readonly records: RecordWriter;
  /** Where sockets are counted. */
  readonly count: OwnerCount;
  /** How many frames each owner may send. */
  readonly frames: FrameRate;
  /** Sockets that watch nothing yet, or any more. */
  readonly waiting: WaitingSockets;
}

/** A socket that was accepted. */
export interface AcceptedSocket {
  readonly ws: WebSocket;
  /** The connection under it. */
  readonly socket: Socket;
  readonly auth: AuthContext;
  /** What the client asked for and gets; undefined where it asked for nothing. */
  readonly extensions: readonly StreamExtension[] | undefined;
}

/** What is said over a socket. */
export interface SocketSession {
  /** Nobody listens any more: frees everything, however often it is told so. */
  close(): void;
}

/**
 * An accepted socket: counted, metered, and ended with its credentials. It is pinged with every heartbeat and broken when nothing at all was heard between two
 * pings: a peer that vanished without a word is gone after two heartbeats. One that has not taken what it was sent is left to the rule for stalled viewers,
 * since the ping would wait behind that.
 */
export class SocketConnection implements LiveConnection, Timed, AcceptedSocket {
  at = 0;
  place = -1;
  readonly deps: SocketConnectionDeps;
  readonly ws: WebSocket;
  readonly socket: Socket;
  readonly auth: AuthContext;
  readonly extensions: readonly StreamExtension[] | undefined;
  readonly reading: SocketReading;
  #session: SocketSession | undefined;
  #cancelExpiry: (() => void) | undefined;
  #readAtPing: number | undefined;

  constructor(deps: SocketConnectionDeps, { ws, socket, auth, extensions }: AcceptedSocket) {
    this.deps = deps;
    this.ws = ws;
    this.socket = socket;
    this.auth = auth;
    this.extensions = extensions;
    this.reading = new SocketReading(this);
  }

  /** Looks after the socket, and its session, until it is closed. */
  keep(session: SocketSession): void {
    const { ws, socket, auth } = this;
    const { hub, clock, count, frames, waiting } = this.deps;
    this.#session = session;
    count.enter(auth.subject);
    frames.enter(auth.subject);
    hub.enter(this);
    waiting.add(this);
    timerQueue(clock).set(this, hub.options.heartbeatMs);
    // Whatever it watches, and if nothing: it is the credentials' socket.
    if (auth.expiresAt !== undefined) this.#cancelExpiry = timerAt(clock, auth.expiresAt, () => this.end());
    // With `on`, as each of these comes once only: `once` keeps two objects more for each socket.
    ws.on('close', () => this.#leave());
    socket.on('end', () => this.#hangUp());
  }

  /** Breaks it: its credentials are good no more, or the host closes. */
  end(): void {
    this.ws.terminate();
  }

  /** It is time for a ping. */
  ring(): void {
    const { ws, socket } = this;
    // Its close may have been before anybody listened: nothing is left to ping.
    if (ws.readyState === ws.CLOSED) return;
    if (socket.writableLength > 0) this.#readAtPing = undefined;
    else if (this.#readAtPing === socket.bytesRead) return ws.terminate();
    else if (ws.readyState === ws.OPEN) {
      this.#readAtPing = socket.bytesRead;
      ws.ping();
    }
    timerQueue(this.deps.clock).set(this, this.deps.hub.options.heartbeatMs);
  }

  /** Half a connection is none: whoever stops sending is gone, whatever is still unsent. */
  #hangUp(): void {
    this.ws.terminate();
    this.#session?.close();
  }

  #leave(): void {
    const { hub, clock, count, frames, waiting } = this.deps;
    const { subject } = this.auth;
    this.#session?.close();
    timerQueue(clock).clear(this);
    this.#cancelExpiry?.();
    this.reading.stop();
    count.leave(subject);
    frames.leave(subject);
    hub.leave(this);
    waiting.delete(this);
  }
}
