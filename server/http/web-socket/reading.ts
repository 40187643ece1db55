import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import type { FrameRate } from '../../live/frame-rate.ts';
import type { Clock } from '../../ports/clock.ts';

/** What a socket is read with. */
export interface SocketReadingDeps {
  readonly ws: WebSocket;
  readonly socket: Socket;
  readonly clock: Clock;
  readonly owner: string;
  readonly frames: Pick<FrameRate, 'take'>;
  /** What is read of a peer that broke the protocol, until it has taken the close, in bytes; then it is cut. */
  readonly deafBytesMax: number;
}

const NOTHING = Buffer.alloc(0);

/**
 * Whether a socket is read: not while its owner has sent too many frames, of whatever kind, nor while it does not take its answers. What has
 * arrived already is still taken.
 */
export class SocketReading {
  readonly #deps: SocketReadingDeps;
  #restTimer: unknown;
  #isDraining = false;

  /** Begins to meter what comes. */
  constructor(deps: SocketReadingDeps) {
    this.#deps = deps;
    const { ws, owner, frames } = deps;
    const meter = (): void => this.#rest(frames.take(owner));
    for (const kind of ['message', 'ping', 'pong'] as const) ws.on(kind, meter);
    // What breaks the protocol is answered by ws itself; the close follows.
    ws.on('error', () => this.#boundDeaf());
    ws.on('close', () => deps.clock.clearTimeout(this.#restTimer));
  }

  /** True while what is sent is not heard. */
  get isHeld(): boolean {
    return this.#isDraining || this.#restTimer !== undefined;
  }

  /** Reads no more until the peer has taken what waits for it, where that is more than so many bytes. */
  awaitDrain(bytesMax: number): void {
    const { ws, socket } = this.#deps;
    if (this.#isDraining || socket.writableLength <= bytesMax) return;
    this.#isDraining = true;
    ws.pause();
    socket.write(NOTHING, () => {
      this.#isDraining = false;
      if (!this.isHeld) ws.resume();
    });
  }

  #rest(ms: number): void {
    const { ws, clock } = this.#deps;
    if (ms === 0 || ws.readyState !== ws.OPEN) return;
    clock.clearTimeout(this.#restTimer);
    ws.pause();
    this.#restTimer = clock.setTimeout(() => {
      this.#restTimer = undefined;
      if (!this.isHeld) ws.resume();
    }, ms);
  }

  /** Nothing is made of what comes now, and it would be read as fast as it is sent until the close has its answer. */
  #boundDeaf(): void {
    const { ws, socket, deafBytesMax } = this.#deps;
    let bytes = 0;
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > deafBytesMax) ws.terminate();
    });
  }
}
