import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import Koa, { type Middleware } from 'koa';
import { forward, tunnel } from '../report/proxy.ts';

/** Where what is passed on goes. */
export interface Upstream {
  /** The port of this machine. */
  readonly port: number;
  /** False: there is no network to pass anything on. */
  readonly isThere: boolean;
}

/** The one port that a browser sees. */
export interface ReverseProxy {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * The page, its switches and the server behind one port. The first two are answered here, so that they work whatever happens to the
 * server; everything below `/api` goes to it, by the proxy that may misbehave.
 */
export async function startReverseProxy(port: number, middlewares: readonly Middleware[], upstream: () => Upstream): Promise<ReverseProxy> {
  const app = new Koa();
  app.use(onlyHere);
  for (const middleware of middlewares) app.use(middleware);
  const answer = app.callback();
  const sockets = new Set<Socket>();

  const server = createServer((request, response) => {
    if (!goesBeyond(request)) return void answer(request, response);
    const { port: far, isThere } = upstream();
    if (isThere) forward(request, response, far);
    else request.socket.resetAndDestroy();
  });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
  });
  server.on('upgrade', (request: IncomingMessage, _socket, head: Buffer) => {
    const { port: far, isThere } = upstream();
    if (isThere && goesBeyond(request)) tunnel(request, request.socket, head, far);
    else request.socket.resetAndDestroy();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    // A server that listens on TCP has such an address.
    port: (server.address() as AddressInfo).port,
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function goesBeyond({ url = '' }: IncomingMessage): boolean {
  return url.startsWith('/api/');
}

/** A name that was pointed at this machine by somebody else is not ours. */
const onlyHere: Middleware = async (ctx, next) => {
  if (!['localhost', '127.0.0.1'].includes(ctx.hostname)) return ctx.throw(421);
  await next();
};
