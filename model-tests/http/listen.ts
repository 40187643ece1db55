import { createServer } from 'node:http';
import Koa from 'koa';
import { onLoopback, type Loopback } from '../support/loopback.ts';

/** Serves Koa middleware on a free port. Koa's own reports, one for every cut connection, are not printed. */
export function listen(...middleware: readonly Koa.Middleware[]): Promise<Loopback> {
  const app = new Koa();
  app.silent = true;
  for (const one of middleware) app.use(one);
  const handle = app.callback();
  const server = createServer((req, res) => void handle(req, res));
  return onLoopback(server);
}
