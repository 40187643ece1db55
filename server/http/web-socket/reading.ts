import type { SocketConnection } from './socket-connection.ts';

const NOTHING = Buffer.alloc(0);

/**
 * Whether a socket is read: not while its owner has sent too many frames, of whatever kind, nor while it does not take its answers. What has
 * arrived already is still taken.
 */
export class SocketReading {
  readonly #connection: Pick<SocketConnection, 'ws' | 'socket' | 'auth' | 'deps'>;
  #restTimer: unknown;
  #isDraining = false;

  /** Begins to meter what comes. */
  constructor(connection: Pick<SocketConnection, 'ws' | 'socket' | 'auth' | 'deps'>) {
    this.#connection = connection;
    const { ws } = connection;
    const meter = (): void => this.#meter();
    for (const kind of ['message', 'ping', 'pong'] as const) ws.on(kind, meter);
    // What breaks the protocol is answered by ws itself; the close follows.
    ws.on('error', () => this.#boundDeaf());
  }

  /** The socket is closed. */
  stop(): void {
    this.#connection.deps.clock.clearTimeout(this.#restTimer);
  }

  /** True while what is sent is not heard. */
  get isHeld(): boolean {
    return this.#isDraining || this.#restTimer !== undefined;
  }

  /** Reads no more until the peer has taken what waits for it, where that is more than so many bytes. */
  awaitDrain(bytesMax: number): void {
    const { ws, socket } = this.#connection;
    if (this.#isDraining || socket.writableLength <= bytesMax) return;
    this.#isDraining = true;
    ws.pause();
    socket.write(NOTHING, () => {
      this.#isDraining = false;
      if (!this.isHeld) ws.resume();
    });
  }

  #meter(): void {
    const { ws, auth, deps } = this.#connection;
    const { frames, clock } = deps;
    const ms = frames.take(auth.subject);
    if (ms === 0 || ws.readyState !== ws.OPEN) return;
    clock.clearTimeout(this.#restTimer);
    ws.pause();
    this.#restTimer = clock.setTimeout(() => {
      this.#restTimer = undefined;
      if (!this.isHeld) ws.resume();
    }, ms);
  }

  /** Nothing is made of what comes now, and it would be read as fast as it is sent until the close has its answer: a frame's room of it, then it is cut. */
  #boundDeaf(): void {
    const { ws, socket, deps } = this.#connection;
    let bytes = 0;
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > deps.hub.options.clientFrameBytesMax) ws.terminate();
    });
  }
}
