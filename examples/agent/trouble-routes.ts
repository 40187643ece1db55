import { setTimeout as rest } from 'node:timers/promises';
import type { Middleware } from 'koa';
import type { HostProcess } from '../report/host-process.ts';
import type { Proxy } from '../report/proxy.ts';

/** How long nobody answers after a kill, so that it can be seen. */
const GONE_MS = 1500;

/**
 * `POST /demo/cut` resets every connection; `POST /demo/kill` kills the host with `kill -9`, and starts it again. For this machine only, and only for pages of its own: they
 * take JSON, which no foreign page can send.
 */
export function troubleRoutes(host: HostProcess, proxy: Proxy): Middleware {
  let killing: Promise<void> | undefined;
  async function kill(): Promise<void> {
    await host.kill();
    await rest(GONE_MS);
    await host.restart();
  }
  const routes: Readonly<Record<string, () => unknown>> = {
    '/demo/cut': () => proxy.cut(),
    '/demo/kill': () => (killing ??= kill().finally(() => (killing = undefined))),
  };
  return async (ctx, next) => {
    const route = ctx.method === 'POST' ? routes[ctx.path] : undefined;
    if (!route) {
      await next();
      return;
    }
    if (!ctx.is('application/json')) ctx.throw(415, 'Send JSON.');
    await route();
    ctx.status = 204;
  };
}
