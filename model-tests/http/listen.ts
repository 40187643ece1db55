import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Koa from 'koa';

/** Serves Koa middleware on a free port. Koa's own reports, one for every cut connection, are not printed. */
export async function listen(...middleware: readonly Koa.Middleware[]) {
  const app = new Koa();
  app.silent = true;
  for (const one of middleware) app.use(one);
  const handle = app.callback();
  const server = createServer((req, res) => void handle(req, res));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A TCP server's address is no path.
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
