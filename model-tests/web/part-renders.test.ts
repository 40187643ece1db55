import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as rest } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import Koa from 'koa';
import { inProcess } from 'taskbridge/adapters/in-process';
import { memoryStore } from 'taskbridge/adapters/memory';
import { createTaskBridge, type TaskBridge } from 'taskbridge/server';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildPage } from '../../examples/web/page-build.ts';
import { pageFiles } from '../../examples/web/page-files.ts';
import { WAIT_MS } from '../support/patience.ts';
import { tempFolder, type TempFolder } from '../support/temp-folder.ts';
import { startChromium, type OwnBrowser } from './chromium.ts';
import type { Rendered } from './part-page/renders.ts';

const TOKENS = 400;
/** 200 tokens a second, as models speak: some at once, then a rest. */
const AT_ONCE = 10;
const REST_MS = 50;
const TOKEN = 'word ';
const CHARACTERS = TOKENS * TOKEN.length;

let folder: TempFolder;
let bridge: TaskBridge;
let server: Server;
let browser: OwnBrowser;
let url = '';
/** Let the text begin, once it is looked at, and the task end: nothing but text comes between. */
let begin = (): void => undefined;
let finish = (): void => undefined;

beforeAll(async () => {
  folder = await tempFolder('part-page');
  await buildPage(folder.path, fileURLToPath(new URL('part-page', import.meta.url)));
  bridge = createTaskBridge({
    store: memoryStore(),
    executor: inProcess({
      'text.write': async (task) => {
        await new Promise<void>((resolve) => (begin = resolve));
        const finished = new Promise<void>((resolve) => (finish = resolve));
        // Each token is a flush of its own.
        const out = task.stream('answer', { kind: 'text', flushMs: 10, flushBytes: 1 });
        for (let token = 1; token <= TOKENS; token += 1) {
          await out.write(TOKEN);
          await rest(token % AT_ONCE === 0 ? REST_MS : 0);
        }
        await finished;
      },
    }),
    auth: ({ headers }) => (headers.authorization === 'Bearer ada' ? { subject: 'ada' } : undefined),
  });
  const app = new Koa();
  app.use(bridge.middleware());
  app.use(await pageFiles(folder.path));
  const answer = app.callback();
  server = createServer((request, response) => void answer(request, response));
  server.on('upgrade', bridge.upgrade);
  await bridge.start();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A server that listens on TCP has such an address.
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  browser = await startChromium();
  browser.context.setDefaultTimeout(WAIT_MS);
});
afterAll(async () => {
  await browser?.close();
  server?.close();
  await bridge?.close({ spreadMs: 0 });
  await folder?.remove();
});

const untilShown = (page: Page, characters: number) =>
  page.waitForFunction((least) => (document.querySelector('#answer')?.textContent ?? '').length >= least, characters);

test.each([1, 4])(
  'of 200 tokens a second a component that uses a part renders once a frame at most, and no other renders, %i times throttled',
  async (rate) => {
    const { taskId } = await bridge.tasks({ subject: 'ada' }).start({ clientRequestId: `throttled-${rate}`, taskType: 'text.write' });
    const page = await browser.context.newPage();
    let frames = 0;
    page.on('websocket', (socket) => socket.on('framereceived', ({ payload }) => void (String(payload).includes('"PART"') && frames++)));
    const devtools = await browser.context.newCDPSession(page);
    await devtools.send('Emulation.setCPUThrottlingRate', { rate });
    await page.goto(`${url}/#${taskId}`);
    await page.getByText('running, live').waitFor();
    begin();
    await untilShown(page, CHARACTERS);
    const rendered = await page.evaluate(() => (globalThis as unknown as { rendered: Rendered[] }).rendered);
    finish();
    await page.close();

    const first = rendered.findIndex(({ characters }) => characters > 0);
    const whileItGrew = rendered.slice(first + 1);
    expect(whileItGrew.filter(({ who }) => who !== 'answer')).toEqual([]);
    const renders = whileItGrew.map(({ frame }) => frame);
    expect(renders).toEqual([...new Set(renders)]);
    expect(renders.length).toBeGreaterThan(1);
    // Of those who render for what comes there is but one render for several frames of the wire.
    expect(renders.length).toBeLessThan(frames);
    expect(rendered.map(({ characters }) => characters).at(-1)).toBe(CHARACTERS);
  },
);
