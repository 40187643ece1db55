import { EventEmitter } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import type { SendQueue } from './send-queue.ts';

/** A request as the network carries it. */
export interface SimulatedRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string | undefined;
}

/** The server's end of a connection, as far as streams look at it. */
export class PeerStandIn extends EventEmitter {
  destroyed = false;
  setTimeout(): this {
    return this;
  }
  setNoDelay(): this {
    return this;
  }
}

/** Node's request, as far as our routes look at it. */
export class RequestStandIn extends EventEmitter {
  readonly headers: IncomingHttpHeaders;
  readonly socket = new PeerStandIn();
  readonly destroyed = false;
  readableDidRead = false;
  readonly #body: string | undefined;

  constructor({ headers, body }: SimulatedRequest) {
    super();
    this.headers = headers;
    this.#body = body;
  }

  override on(event: string, listener: (...args: unknown[]) => void): this {
    super.on(event, listener);
    if (event !== 'end') return this;
    this.readableDidRead = true;
    queueMicrotask(() => {
      if (this.#body !== undefined) this.emit('data', Buffer.from(this.#body));
      this.emit('end');
    });
    return this;
  }

  pause(): this {
    return this;
  }
}

/** Node's response, as far as our routes and streams look at it. */
export class ResponseStandIn extends EventEmitter {
  destroyed = false;
  writableEnded = false;
  headersSent = false;
  readonly headers: Record<string, string> = {};
  sendQueue: SendQueue | undefined;
  /** The head is out: from now on this is a stream. */
  onHead: (status: number) => void = () => undefined;
  onChunk: (bytes: Buffer) => void = () => undefined;
  onEnd: () => void = () => undefined;
  onDestroy: () => void = () => undefined;

  get writableLength(): number {
    return this.sendQueue?.pendingBytes ?? 0;
  }
  get socket(): { readonly bytesWritten: number; readonly writableLength: number } {
    const { pendingBytes = 0, takenBytes = 0 } = this.sendQueue ?? {};
    return { bytesWritten: pendingBytes + takenBytes, writableLength: pendingBytes };
  }

  setHeader(name: string, value: string): this {
    this.headers[name.toLowerCase()] = value;
    return this;
  }
  writeHead(status: number): this {
    this.headersSent = true;
    this.onHead(status);
    return this;
  }
  write(bytes: Buffer, taken?: (error?: Error) => void): boolean {
    if (this.destroyed || this.writableEnded) return false;
    if (bytes.length > 0) this.onChunk(bytes);
    if (taken) this.sendQueue?.whenTaken(() => taken());
    return this.writableLength === 0;
  }
  end(): void {
    if (this.writableEnded || this.destroyed) return;
    this.writableEnded = true;
    this.onEnd();
  }
  destroy(): void {
    if (this.destroyed) return;
    this.onDestroy();
    this.vanish();
  }
  /** The connection is gone, whoever ended it. */
  vanish(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    queueMicrotask(() => this.emit('close'));
  }
}
