import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import type { Gap, GapFrame, HeartbeatFrame, SubscriptionConfirmedFrame } from '../../../machines/wire/index.ts';
import type { BatchSizes } from '../../live/batch-sizes.ts';
import type { StreamExtension } from '../../live/extensions.ts';
import type { Sharing, Viewer } from '../../live/viewer.ts';
import type { Entry } from '../../ports/store.ts';
import { factFrames, frameHead } from './frames.ts';
import type { WebSocketStreamSettings } from './settings.ts';

/** What a viewer behind a WebSocket needs. */
export interface WebSocketViewerDeps {
  readonly taskId: string;
  readonly owner: string;
  readonly ws: WebSocket;
  /** The connection under it. */
  readonly socket: Socket;
  /** What the client asked for and gets; undefined where it asked for nothing. */
  readonly extensions: readonly StreamExtension[] | undefined;
  readonly settings: WebSocketStreamSettings;
  /** Where the socket shows several tasks. */
  readonly sharing?: Sharing;
  /** The log has ended, and the network has all of it. */
  readonly onEnd: () => void;
  /** The log cannot be shown on. */
  readonly onCutTask: () => void;
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
  readonly owner: string;
  readonly batches: BatchSizes;
  readonly sharing: Sharing | undefined;
  readonly #deps: WebSocketViewerDeps;

  constructor(deps: WebSocketViewerDeps) {
    this.#deps = deps;
    this.owner = deps.owner;
    this.batches = deps.settings;
    this.sharing = deps.sharing;
  }

  /** The first frame: shows a mute proxy, and tells what was granted. */
  confirm(cursor: string | null | undefined): void {
    const { taskId, extensions } = this.#deps;
    const replayStartedAfterEventId = cursor || null;
    const frame: SubscriptionConfirmedFrame = { type: 'SUBSCRIPTION_CONFIRMED', taskId, replayStartedAfterEventId, live: true };
    this.#control(extensions ? { ...frame, extensions } : frame);
  }

  facts(entries: readonly Entry[]): void {
    const { ws, socket } = this.#deps;
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
    if (this.#deps.extensions?.includes('gap')) this.#control({ type: 'GAP', taskId: this.#deps.taskId, ...gap });
  }

  heartbeat(): boolean {
    const { taskId, settings } = this.#deps;
    if (settings.heartbeatFrame) this.#control({ type: 'HEARTBEAT', taskId, live: true });
    return settings.heartbeatFrame;
  }

  pendingBytes(): number {
    return this.#deps.socket.writableLength;
  }

  takenBytes(): number {
    const { socket } = this.#deps;
    return socket.bytesWritten - socket.writableLength;
  }

  onDrain(callback: () => void): void {
    const { socket } = this.#deps;
    // Not by a timer, which takes a millisecond at least: a long part is read in many turns.
    if (socket.writableLength === 0) setImmediate(callback);
    else if (socket.writable)
      socket.write(NOTHING, (error) => {
        if (!error) callback();
      });
  }

  end(): void {
    this.#deps.onEnd();
  }

  cut(): void {
    this.#deps.ws.terminate();
  }

  cutTask(): void {
    this.#deps.onCutTask();
  }

  #control(frame: SubscriptionConfirmedFrame | HeartbeatFrame | GapFrame): void {
    const { ws } = this.#deps;
    // What is compressed is sent later, behind facts that go to the connection at once.
    if (ws.readyState === ws.OPEN) ws.send(JSON.stringify(frame), { compress: false });
  }
}
