import type { Socket } from 'node:net';
import type { Gap, GapFrame, HeartbeatFrame, SubscriptionConfirmedFrame } from '../../../machines/wire/index.ts';
import type { BatchSizes } from '../../live/batch-sizes.ts';
import type { Sharing, Viewer } from '../../live/viewer.ts';
import type { Entry } from '../../ports/store.ts';
import { factFrames, frameHead } from './frames.ts';
import type { SocketConnection } from './socket-connection.ts';

/** Told by the viewers of a socket. */
export interface ShownTasks {
  /** What the viewers of a socket that shows several tasks have in common. */
  readonly sharing?: Sharing;
  /** The log has ended, and the network has all of it. */
  ended(taskId: string): void;
  /** The log cannot be shown on. */
  lost(taskId: string): void;
}

const NOTHING = Buffer.alloc(0);
/** A frame of its own that is larger goes out as it is, behind its head, and is not copied. */
const COPIED_BYTES_MAX = 64 * 1024;

/** What one turn of the event loop has for a connection, of however many tasks, goes out in one write. */
function corkThisTurn(socket: Socket): void {
  if (socket.writableCorked > 0) return;
  socket.cork();
  process.nextTick(() => socket.uncork());
}

/** A WebSocket, or its part, that has subscribed to a task. Nothing compresses here, so that facts may go to the connection as they are framed. */
export class WebSocketViewer implements Viewer {
  readonly transport = 'ws';
  readonly #connection: SocketConnection;
  readonly #taskId: string;
  readonly #shown: ShownTasks;

  constructor(connection: SocketConnection, taskId: string, shown: ShownTasks) {
    this.#connection = connection;
    this.#taskId = taskId;
    this.#shown = shown;
  }

  get owner(): string {
    return this.#connection.auth.subject;
  }

  get batches(): BatchSizes {
    return this.#connection.deps.settings;
  }

  get sharing(): Sharing | undefined {
    return this.#shown.sharing;
  }

  /** The first frame: shows a mute proxy, and tells what was granted. */
  confirm(cursor: string | null | undefined): void {
    const { extensions } = this.#connection;
    const replayStartedAfterEventId = cursor || null;
    const frame: SubscriptionConfirmedFrame = {
      type: 'SUBSCRIPTION_CONFIRMED',
      taskId: this.#taskId,
      replayStartedAfterEventId,
      live: true,
    };
    this.#control(extensions ? { ...frame, extensions } : frame);
  }

  facts(entries: readonly Entry[]): void {
    const { ws, socket } = this.#connection;
    if (ws.readyState !== ws.OPEN || !socket.writable) return;
    if (this.sharing) corkThisTurn(socket);
    const [first] = entries;
    if (entries.length > 1 || !first || first.bytes.byteLength < COPIED_BYTES_MAX) return void socket.write(factFrames(entries));
    socket.cork();
    socket.write(frameHead(first.bytes.byteLength));
    socket.write(first.bytes);
    socket.uncork();
  }

  parts(frames: readonly Entry[]): void {
    this.facts(frames);
  }

  gap(gap: Gap): void {
    if (this.#connection.extensions?.includes('gap')) this.#control({ type: 'GAP', taskId: this.#taskId, ...gap });
  }

  heartbeat(): boolean {
    const { heartbeatFrame } = this.#connection.deps.settings;
    if (heartbeatFrame) this.#control({ type: 'HEARTBEAT', taskId: this.#taskId, live: true });
    return heartbeatFrame;
  }

  pendingBytes(): number {
    return this.#connection.socket.writableLength;
  }

  takenBytes(): number {
    const { socket } = this.#connection;
    return socket.bytesWritten - socket.writableLength;
  }

  onDrain(callback: () => void): void {
    const { socket } = this.#connection;
    // Not by a timer, which takes a millisecond at least: a long part is read in many turns.
    if (socket.writableLength === 0) setImmediate(callback);
    else if (socket.writable)
      socket.write(NOTHING, (error) => {
        if (!error) callback();
      });
  }

  end(): void {
    this.#shown.ended(this.#taskId);
  }

  cut(): void {
    this.#connection.ws.terminate();
  }

  cutTask(): void {
    this.#shown.lost(this.#taskId);
  }

  #control(frame: SubscriptionConfirmedFrame | HeartbeatFrame | GapFrame): void {
    const { ws } = this.#connection;
    // What is compressed is sent later, behind facts that go to the connection at once.
    if (ws.readyState === ws.OPEN) ws.send(JSON.stringify(frame), { compress: false });
  }
}
