import { EventEmitter } from 'node:events';
import type { SendQueue } from './send-queue.ts';

/** The connection under a WebSocket, as far as our door looks at it: takes frames as they are laid out on the wire. */
export class SocketStandIn extends EventEmitter {
  bytesRead = 0;
  writableCorked = 0;
  /** The beginning of a frame whose end is not written yet: the head of a large one is written before it. */
  #begun: Buffer = Buffer.alloc(0);
  readonly #sendQueue: SendQueue;
  readonly #onFrame: (text: string) => void;
  readonly #onSent: (text: string) => void;

  constructor(sendQueue: SendQueue, onFrame: (text: string) => void, onSent: (text: string) => void) {
    super();
    this.#sendQueue = sendQueue;
    this.#onFrame = onFrame;
    this.#onSent = onSent;
  }

  get writable(): boolean {
    return !this.#sendQueue.isBroken;
  }
  get writableLength(): number {
    return this.#sendQueue.pendingBytes;
  }
  get bytesWritten(): number {
    return this.#sendQueue.pendingBytes + this.#sendQueue.takenBytes;
  }

  /** What is written in between goes out at once all the same. */
  cork(): void {
    this.writableCorked += 1;
  }
  uncork(): void {
    this.writableCorked -= 1;
  }

  write(bytes: Buffer, taken?: (error?: Error) => void): boolean {
    const { texts, rest } = textFrames(this.#begun.length > 0 ? Buffer.concat([this.#begun, bytes]) : bytes);
    this.#begun = rest;
    for (const text of texts) {
      this.#onSent(text);
      this.#sendQueue.send(text.length, () => this.#onFrame(text));
    }
    if (taken) this.#sendQueue.whenTaken(() => taken());
    return this.writableLength === 0;
  }
}

/** The other end of a WebSocket. */
export interface WebSocketPeer {
  /** A frame goes out. */
  sent(text: string): void;
  frame(text: string): void;
  closed(code: number): void;
  pinged(): void;
  /** A Close frame goes out. */
  closing(code: number): void;
  terminated(): void;
}

/** A WebSocket that was accepted, as far as our door looks at it. */
export class WebSocketStandIn extends EventEmitter {
  readonly OPEN = 1;
  readyState = 1;
  isPaused = false;
  #unheard: string[] = [];
  readonly #sendQueue: SendQueue;
  readonly #peer: WebSocketPeer;

  constructor(sendQueue: SendQueue, peer: WebSocketPeer) {
    super();
    this.#sendQueue = sendQueue;
    this.#peer = peer;
  }

  /** A frame came. */
  hear(text: string): void {
    if (this.readyState !== this.OPEN) return;
    if (this.isPaused) this.#unheard.push(text);
    else this.emit('message', Buffer.from(text), false);
  }
  pause(): void {
    this.isPaused = true;
  }
  resume(): void {
    this.isPaused = false;
    const texts = this.#unheard;
    this.#unheard = [];
    for (const text of texts) this.hear(text);
  }
  send(text: string): void {
    if (this.#sendQueue.isBroken) return;
    this.#peer.sent(text);
    this.#sendQueue.send(text.length, () => this.#peer.frame(text));
  }
  ping(): void {
    this.#sendQueue.send(2, () => this.#peer.pinged());
  }
  close(code: number): void {
    if (this.readyState !== this.OPEN) return;
    this.readyState = 2;
    this.#peer.closing(code);
    this.#sendQueue.send(4, () => this.#peer.closed(code));
  }
  terminate(): void {
    if (this.readyState === 3) return;
    this.#peer.terminated();
    this.vanish();
  }
  /** The connection is gone, whoever ended it. */
  vanish(): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.#sendQueue.break(false);
    queueMicrotask(() => this.emit('close'));
  }
}

/** Text frames as RFC 6455 lays them out, unmasked, and what is no whole one yet. */
function textFrames(bytes: Buffer): { readonly texts: readonly string[]; readonly rest: Buffer } {
  const texts: string[] = [];
  let at = 0;
  while (at < bytes.length) {
    const short = bytes.readUInt8(at + 1);
    const start = at + (short < 126 ? 2 : short === 126 ? 4 : 10);
    const length = short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2));
    if (start + length > bytes.length) break;
    texts.push(bytes.toString('utf8', start, start + length));
    at = start + length;
  }
  return { texts, rest: bytes.subarray(at) };
}
