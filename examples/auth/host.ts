/**
 * Who is asking, and what he may do: people by the tokens of an issuer, a service by a token of its own, scopes, and actions of a user interface
 * that are checked. `ISSUER=… AUDIENCE=… JWKS=… BILLING_SHA256=… npx tsx examples/auth/host.ts`
 */
import { createServer } from 'node:http';
import Koa from 'koa';
import { inProcess, type Task } from 'taskbridge/adapters/in-process';
import { jwtAuth } from 'taskbridge/adapters/jwt';
import { memoryStore } from 'taskbridge/adapters/memory';
import { createTaskBridge } from 'taskbridge/server';
import { actionSchemas, anyOf, requireScopes, serviceTokens } from 'taskbridge/server/access';
import * as z from 'zod';

const { ISSUER = '', AUDIENCE = '', JWKS = '', BILLING_SHA256 = '', PORT = '3000' } = process.env;

/** Where an action comes from, as the protocol A2UI names it. */
const metadata = z.strictObject({
  version: z.literal(['v0.8', 'v0.9']),
  surfaceId: z.string().min(1),
  sourceComponentId: z.string().min(1),
  name: z.string().min(1),
});

const bridge = createTaskBridge({
  store: memoryStore(),
  executor: inProcess({
    // Run again after a restart: with a store that outlives its process, nobody is asked twice.
    review: {
      repeatable: true,
      async run(task: Task) {
        const { payload } = await task.suspend('form', { reasonCode: 'REVIEW', allowedActions: ['a2ui_action'] });
        return { rating: payload['rating'] ?? null };
      },
    },
  }),
  auth: anyOf(
    serviceTokens({ tokens: { billing: { sha256: BILLING_SHA256, scopes: ['tasks:read', 'tasks:write'] } } }),
    jwtAuth({ issuer: ISSUER, audience: AUDIENCE, jwks: new URL(JWKS) }),
  ),
  // To see wants tasks:read, to create, answer and cancel tasks:write; and each task is its owner's alone.
  ownership: requireScopes(),
  actions: actionSchemas({ a2ui_action: { metadata, payload: z.object({ rating: z.int().min(1).max(5) }) } }),
});

const app = new Koa();
app.use(bridge.middleware());
const answer = app.callback();
const server = createServer((request, response) => void answer(request, response));
server.on('upgrade', bridge.upgrade);
await bridge.start();
server.listen(Number(PORT), '127.0.0.1', () => console.log('Listening on', server.address()));
process.once('SIGTERM', () => void bridge.close({ spreadMs: 0 }).then(() => process.exit(0)));
