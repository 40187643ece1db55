import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { onLoopback, type Loopback } from '../suite/loopback.ts';

/** A request: a stream of a task or of many, a poll of a log, a command, or whatever else is asked for. */
export interface Arrival {
  readonly kind: 'sse' | 'shared' | 'poll' | 'post' | 'get';
  /** Empty where the path names none. */
  readonly taskId: string;
  readonly url: URL;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** A request to become a WebSocket. */
export interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  /** Says yes; resolves when the client has subscribed. */
  take(): Promise<Subscriber>;
}

/** A WebSocket, and the first thing that its client said. */
export interface Subscriber {
  readonly webSocket: WebSocket;
  readonly taskId: string;
  readonly lastEventId: string | null;
}

/** What becomes of those who come. */
export interface Reception {
  request(arrival: Arrival): void;
  upgrade(upgrade: Upgrade): void;
}

/** A real server on loopback that knows the protocol's routes and decides nothing: what it does is a script's, or a test's, to say. */
export async function startBareServer(reception: Reception): Promise<Loopback> {
  const sockets = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => (offered.has('taskbridge.v1') ? 'taskbridge.v1' : false),
  });
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://local');
    const [, taskId = '', events, stream] = /\/tasks\/([^/]+)(\/events(\/stream)?)?$/.exec(url.pathname) ?? [];
    const isShared = url.pathname.endsWith('/tasks/events/stream');
    const kind =
      request.method === 'POST' || request.method === 'DELETE' ? 'post' : isShared ? 'shared' : stream ? 'sse' : events ? 'poll' : 'get';
    reception.request({ kind, taskId, url, request, response });
  });
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => undefined);
    const take = (): Promise<Subscriber> =>
      new Promise((resolve) =>
        sockets.handleUpgrade(request, socket, head, (webSocket) => {
          webSocket.on('error', () => undefined);
          // A Buffer, as `ws` hands every message over unless told otherwise.
          webSocket.once('message', (data) => {
            const { taskId, lastEventId = null } = JSON.parse((data as Buffer).toString()) as {
              taskId: string;
              lastEventId?: string | null;
            };
            resolve({ webSocket, taskId, lastEventId });
          });
        }),
      );
    reception.upgrade({ request, socket, take });
  });
  return onLoopback(server);
}

type Headers = Readonly<Record<string, string>>;

/** The whole answer to a request, as JSON. */
export function answerWith(response: ServerResponse, status: number, body: object, headers: Headers = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

/** Answers a request for an upgrade with a refusal, and ends its connection. */
export function rejectUpgrade(socket: Duplex, status: number, body: object, headers: Headers = {}): void {
  const text = JSON.stringify(body);
  const head = { connection: 'close', 'content-type': 'application/json', 'content-length': String(text.length), ...headers };
  const lines = Object.entries(head).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} No\r\n${lines.join('')}\r\n${text}`);
}
