import { createReadStream } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Context, Middleware } from 'koa';
import type { NetworkSwitches } from './network-switches.ts';
import type { Tokens } from './tokens.ts';
import type { Switches } from './messages.ts';

const sample = fileURLToPath(new URL('../report/orders.csv', import.meta.url));
const names = ['webSocket', 'sse', 'network', 'server'] as const satisfies readonly (keyof Switches)[];
const BODY_CHARACTERS_MAX = 10_000;

/**
 * The demo's own routes, below `/demo`: tokens, switches, the sample. For this machine only, and only for pages of its own: what changes
 * something takes JSON, which no foreign page can send.
 */
export function demoRoutes(tokens: Tokens, network: () => NetworkSwitches): Middleware {
  const routes: Readonly<Record<string, (ctx: Context) => unknown>> = {
    'POST /demo/login': async (ctx) => {
      const { name } = await readJson(ctx);
      if (typeof name !== 'string' || !/^[\w-]{1,32}$/.test(name)) return ctx.throw(400, 'Say a name of letters, digits, "_" and "-".');
      return tokens.issue(name);
    },
    'GET /demo/who': (ctx) => tokens.personOf(ctx.get('authorization')) ?? ctx.throw(401),
    'GET /demo/switches': () => network().state(),
    'POST /demo/switches': async (ctx) => network().turn(readSwitches(await readJson(ctx))),
    'POST /demo/cut': async (ctx) => readJson(ctx).then(() => network().cut()),
    'POST /demo/expire': async (ctx) => readJson(ctx).then(() => network().expireTokens()),
    'GET /demo/orders.csv': (ctx) => {
      ctx.type = 'text/csv';
      return createReadStream(sample);
    },
  };

  return async (ctx, next) => {
    if (!ctx.path.startsWith('/demo/')) {
      await next();
      return;
    }
    const route = routes[`${ctx.method} ${ctx.path}`];
    if (!route) return;
    ctx.set('cache-control', 'no-store');
    ctx.body = await route(ctx);
  };
}

async function readJson(ctx: Context): Promise<Record<string, unknown>> {
  if (!ctx.is('application/json')) return ctx.throw(415, 'Send JSON.');
  let text = '';
  for await (const chunk of ctx.req.setEncoding('utf8')) {
    text += String(chunk);
    if (text.length > BODY_CHARACTERS_MAX) return ctx.throw(413);
  }
  const body: unknown = JSON.parse(text);
  if (typeof body !== 'object' || body === null) return ctx.throw(400, 'Send an object.');
  return { ...body };
}

function readSwitches(body: Record<string, unknown>): Partial<Switches> {
  return Object.fromEntries(names.flatMap((name) => (typeof body[name] === 'boolean' ? [[name, body[name]]] : [])));
}
