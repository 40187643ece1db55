import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** What stands between a client and its server, in the world as in this demo. */
export interface Obstacles {
  /** `refused`: upgrades are answered 502. */
  webSocket: 'open' | 'refused';
  /** `refused`: streams are answered 502. `held`: they are accepted, and nothing comes through. */
  sse: 'open' | 'refused' | 'held';
}

/** A proxy on this machine that can misbehave. */
export interface Proxy {
  readonly url: string;
  readonly obstacles: Readonly<Obstacles>;
  /** Changes what is let through; connections of a kind that is no longer let through are reset. */
  obstruct(obstacles: Partial<Obstacles>): void;
  /** Resets all connections, as a lost network does; gives their number. */
  cut(): number;
  close(): Promise<void>;
}

/** Starts a proxy before a server on this machine, whose port may change; a server that is not there is a connection that is reset. */
export async function startProxy(port: () => number): Promise<Proxy> {
  const obstacles: Obstacles = { webSocket: 'open', sse: 'open' };
  const sockets = new Set<Socket>();
  const webSockets = new Set<Socket>();
  const streams = new Set<Socket>();

  const server = createServer((incoming, response) => {
    const isStream = /\/events\/stream(\?|$)/.test(incoming.url ?? '');
    if (isStream && obstacles.sse === 'refused') refuse(response);
    else {
      if (isStream) keepIn(streams, incoming.socket);
      forward(incoming, response, port(), isStream && obstacles.sse === 'held');
    }
  });
  server.on('connection', (socket: Socket) => {
    keepIn(sockets, socket);
    socket.on('error', () => socket.destroy());
  });
  server.on('upgrade', (incoming: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (obstacles.webSocket === 'refused') {
      socket.end('HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    keepIn(webSockets, incoming.socket);
    tunnel(incoming, incoming.socket, head, port());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  return {
    // A server that listens on TCP has such an address.
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    obstacles,
    obstruct(changes) {
      Object.assign(obstacles, changes);
      if (obstacles.webSocket !== 'open') reset(webSockets);
      if (obstacles.sse !== 'open') reset(streams);
    },
    cut: () => reset(sockets),
    close() {
      reset(sockets);
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** Passes a request on to a port of this machine; what is cut there is cut here. `held`: its answer never comes. */
export function forward(incoming: IncomingMessage, response: ServerResponse, port: number, held = false): void {
  const { method, url, rawHeaders } = incoming;
  // `rawHeaders` keeps names, order and repetitions; its types do not say that Node takes it back.
  const outgoing = request({ host: '127.0.0.1', port, method, path: url, headers: rawHeaders as unknown as string[], agent: false });
  outgoing.on('response', (answer) => {
    answer.on('error', () => incoming.socket.resetAndDestroy());
    answer.on('close', () => {
      if (!answer.complete) incoming.socket.resetAndDestroy();
    });
    if (held) return;
    response.writeHead(answer.statusCode ?? 502, answer.statusMessage, answer.rawHeaders);
    response.flushHeaders();
    answer.pipe(response);
  });
  outgoing.on('error', () => incoming.socket.resetAndDestroy());
  response.on('close', () => outgoing.destroy());
  incoming.pipe(outgoing);
}

/** Passes an upgrade on, and then whatever comes from either side. */
export function tunnel({ method, url, httpVersion, rawHeaders }: IncomingMessage, near: Socket, head: Buffer, port: number): void {
  const far = connect(port, '127.0.0.1', () => {
    const headers = rawHeaders.map((part, index) => (index % 2 === 0 ? `${part}: ` : `${part}\r\n`)).join('');
    far.write(`${method} ${url} HTTP/${httpVersion}\r\n${headers}\r\n`);
    far.write(head);
    far.pipe(near);
    near.pipe(far);
  });
  const end = () => {
    far.destroy();
    near.resetAndDestroy();
  };
  far.on('error', end);
  near.on('error', end);
  // A proper end went through the pipes before; this is for what was cut.
  far.on('close', () => near.destroySoon());
  near.on('close', () => far.destroy());
}

function refuse(response: ServerResponse): void {
  response.writeHead(502, { connection: 'close', 'content-length': 0 }).end();
}

function reset(sockets: Set<Socket>): number {
  const { size } = sockets;
  for (const socket of sockets) socket.resetAndDestroy();
  return size;
}

function keepIn(set: Set<Socket>, socket: Socket): void {
  set.add(socket);
  socket.once('close', () => set.delete(socket));
}
