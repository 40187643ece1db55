import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import Koa from 'koa';
import { inProcess } from 'taskbridge/adapters/in-process';
import { memoryStore } from 'taskbridge/adapters/memory';
import { createTaskBridge, type TaskBridge } from 'taskbridge/server';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { root } from '../readme/snippets.ts';
import { onLoopback, type Loopback } from '../support/loopback.ts';
import { bundle } from './bundle.ts';

const runtimes = {
  Bun: { program: '.data/bun/node_modules/@oven/bun-linux-x64/bin/bun', args: ['run'] },
  Deno: { program: '.data/deno/node_modules/@deno/linux-x64-glibc/deno', args: ['run', '--allow-net', '--no-lock'] },
} as const;

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'taskbridge-runtime-'));
  const program = fileURLToPath(new URL('lifetime.ts', import.meta.url));
  writeFileSync(join(folder, 'lifetime.mjs'), await bundle(program, { format: 'esm' }));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let bridge: TaskBridge;
let listening: Loopback;
let cuts: number;
function cut(): void {
  for (const socket of listening.sockets) socket.destroy();
  cuts += 1;
}
beforeEach(async () => {
  cuts = 0;
  bridge = createTaskBridge({
    store: memoryStore(),
    executor: inProcess({
      count: async (task) => {
        const to = Number(task.input['to']);
        for (let i = 1; i <= to; i += 1) {
          await task.progress((i / to) * 100);
          if (i % 2 === 1) cut();
        }
        const { actionType } = await task.suspend('which', { reasonCode: 'WHICH', allowedActions: ['left', 'right'] });
        cut();
        return { went: actionType };
      },
    }),
    auth: () => ({ subject: 'ada' }),
  });
  const app = new Koa();
  app.use(bridge.middleware({ prefix: '/api/v1' }));
  const server = createServer(app.callback());
  server.on('upgrade', bridge.upgrade);
  await bridge.start();
  listening = await onLoopback(server);
});
afterEach(async () => {
  await bridge.close();
  await listening.close();
});

describe.each(Object.keys(runtimes) as (keyof typeof runtimes)[])('the client in %s', (name) => {
  const { program, args } = runtimes[name];
  test.each(['ws', 'sse', 'poll', 'ws,sse,poll'])('starts, watches through cuts and answers over %s', async (transports) => {
    const path = join(root, program);
    if (!existsSync(path)) throw new Error(`${name} is not there (${path}). Run \`sh scripts/setup.sh ${name.toLowerCase()}\`.`);
    const child = spawn(path, [...args, join(folder, 'lifetime.mjs'), listening.url, transports]);
    const [said, wrong] = await Promise.all([text(child.stdout), text(child.stderr)]);
    expect(wrong).toBe('');
    expect(JSON.parse(said)).toMatchObject({
      ids: Array.from({ length: 10 }, (_, n) => n + 1),
      state: 'completed',
      result: { went: 'left' },
      transport: transports.split(',')[0],
    });
    expect(cuts).toBeGreaterThan(1);
  });
});
