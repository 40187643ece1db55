import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';

/** What a client can ask of the server. */
export type Kind = 'ws' | 'sse' | 'poll' | 'get';

/** An error envelope, or a part of one. */
export interface Refusal {
  readonly status: number;
  readonly code?: string;
  readonly retryAfterSeconds?: number;
}

/** One request or connection, held until the test says what becomes of it. */
export interface Held {
  readonly kind: Kind;
  readonly isOpen: boolean;
  /** Ends it without a word: before an answer, within a body, or without a Close frame. */
  cut(): void;
  /** An answer that is no success. */
  refuse(refusal: Refusal): void;
  /** The whole answer to a poll or a snapshot. */
  answer(status: number, body: string): void;
  /** Bytes of a stream, which begins with the first of them; without any a head alone goes out. */
  write(text: string): void;
  /** A proper end of a stream. */
  end(): void;
  /** Takes the upgrade, once; resolves when the client has subscribed. */
  accept(): Promise<void>;
  /** Text frames, in one piece. */
  send(...frames: readonly (string | Buffer)[]): void;
  /** A Close frame; without a code one that has none. */
  closeWith(code: number | undefined): void;
}

/** A real server on loopback that does nothing by itself. */
export interface PuppetServer {
  readonly baseUrl: string;
  /** Everything that came, in order. */
  readonly came: readonly Held[];
  readonly open: readonly Held[];
  /** Forgets what came before. */
  forget(): void;
  close(): Promise<void>;
}

const wrong = (what: string) => (): never => {
  throw new Error(`This request cannot ${what}.`);
};
const impossible = {
  answer: wrong('be answered'),
  write: wrong('stream'),
  end: wrong('end'),
  accept: wrong('be upgraded'),
  send: wrong('take frames'),
  closeWith: wrong('be closed'),
};

/**
 * Holds an HTTP request. Connections are not kept, so that what stays open was left open by the client. Streams do not say so beforehand:
 * Node's fetch takes a cut for a proper end where they do.
 */
function holdRequest(kind: Kind, response: ServerResponse): Held {
  let isOpen = true;
  response.on('close', () => (isOpen = false));
  response.on('finish', () => response.socket?.end());
  const answer = (status: number, body: string, headers: Record<string, string> = {}): void =>
    void response.writeHead(status, { 'content-type': 'application/json', connection: 'close', ...headers }).end(body);
  return {
    ...impossible,
    kind,
    get isOpen() {
      return isOpen;
    },
    cut: () => void response.socket?.destroy(),
    refuse: ({ status, code, retryAfterSeconds }) =>
      answer(status, JSON.stringify({ code }), retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
    answer: (status, body) => (status === 204 ? void response.writeHead(204, { connection: 'close' }).end() : answer(status, body)),
    write(text) {
      if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream' });
      if (text === '') response.flushHeaders();
      else response.write(text);
    },
    end() {
      if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end();
    },
  };
}

/** Holds an upgrade, and the WebSocket that it becomes. */
function holdUpgrade(socket: Duplex, upgrade: () => Promise<WebSocket>): Held {
  let isOpen = true;
  let taken: WebSocket | undefined;
  socket.on('close', () => (isOpen = false)).on('error', () => undefined);
  // Nothing is read of a held upgrade, and a socket that is not read does not notice its end.
  socket.on('end', () => socket.end()).resume();
  return {
    ...impossible,
    kind: 'ws',
    get isOpen() {
      return isOpen;
    },
    cut: () => void socket.destroy(),
    refuse({ status, code, retryAfterSeconds }) {
      const body = JSON.stringify({ code });
      const wait = retryAfterSeconds === undefined ? '' : `Retry-After: ${retryAfterSeconds}\r\n`;
      socket.end(`HTTP/1.1 ${status} No\r\nConnection: close\r\n${wait}Content-Length: ${body.length}\r\n\r\n${body}`);
    },
    async accept() {
      taken ??= await upgrade();
    },
    send(...frames) {
      socket.cork();
      for (const frame of frames) taken?.send(frame);
      socket.uncork();
    },
    closeWith: (code) => taken?.close(code),
  };
}

export async function createPuppetServer(): Promise<PuppetServer> {
  let came: Held[] = [];
  const connections = new Set<Socket>();
  const sockets = new WebSocketServer({ noServer: true });
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://local').pathname;
    came.push(holdRequest(path.endsWith('/events/stream') ? 'sse' : path.endsWith('/events') ? 'poll' : 'get', response));
  });
  server.on('connection', (socket) => {
    connections.add(socket);
    socket.on('close', () => connections.delete(socket));
  });
  server.on('upgrade', (request, socket, head) => {
    const upgrade = () =>
      new Promise<WebSocket>((resolve) =>
        sockets.handleUpgrade(request, socket, head, (taken) => {
          taken.on('error', () => undefined);
          taken.once('message', () => resolve(taken));
        }),
      );
    came.push(holdUpgrade(socket, upgrade));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get came() {
      return came;
    },
    get open() {
      return came.filter(({ isOpen }) => isOpen);
    },
    forget: () => (came = []),
    async close() {
      for (const socket of connections) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
