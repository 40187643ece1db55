import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import Koa from 'koa';
import { inProcess } from 'taskbridge/adapters/in-process';
import { memoryAttachments, memoryStore } from 'taskbridge/adapters/memory';
import { createTaskBridge, type TaskBridge } from 'taskbridge/server';
import type { Page } from 'playwright-core';
import { build } from 'vite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pageFiles } from '../../examples/web/page-files.ts';
import { root, snippet } from '../readme/snippets.ts';
import { WAIT_MS } from '../support/patience.ts';
import { startChromium, type OwnBrowser } from './chromium.ts';

let folder = '';
let bridge: TaskBridge;
let server: Server;
let browser: OwnBrowser;
let page: Page;
const complaints: string[] = [];

/** The page of the guide, built as a user would, before a host whose letters ask, and make a file. */
beforeAll(async () => {
  await mkdir(join(root, '.data'), { recursive: true });
  folder = await mkdtemp(join(root, '.data/guide-'));
  await writeFile(join(folder, 'main.tsx'), snippet('page', 'docs/guide/react.md'));
  await writeFile(join(folder, 'index.html'), '<div id="page"></div><script type="module" src="./main.tsx"></script>');
  const outDir = join(folder, 'built');
  await build({ root: folder, configFile: false, logLevel: 'error', resolve: { tsconfigPaths: true }, build: { outDir } });
  bridge = createTaskBridge({
    store: memoryStore(),
    attachments: memoryAttachments(),
    executor: inProcess({
      'mail.write': async (task) => {
        const { actionType } = await task.suspend('send', { reasonCode: 'SEND_IT', allowedActions: ['send', 'discard'] });
        await task.attach('letter.txt', 'Dear Charles', 'text/plain');
        return { sent: actionType === 'send' };
      },
    }),
    auth: ({ headers }) => (headers.authorization === 'Bearer ada' ? { subject: 'ada' } : undefined),
  });
  const app = new Koa();
  app.use(bridge.middleware());
  app.use(await pageFiles(outDir));
  const answer = app.callback();
  server = createServer((request, response) => void answer(request, response));
  server.on('upgrade', bridge.upgrade);
  await bridge.start();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  browser = await startChromium();
  browser.context.setDefaultTimeout(WAIT_MS);
  page = await browser.context.newPage();
  page.on('pageerror', ({ message }) => complaints.push(message));
  // A server that listens on TCP has such an address.
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
afterAll(async () => {
  await browser?.close();
  server?.close();
  await bridge?.close();
  await rm(folder, { recursive: true, force: true });
});

const press = (name: string): Promise<void> => page.getByRole('button', { name, exact: true }).click();
const untilState = (state: string): Promise<void> => page.getByRole('status').filter({ hasText: state }).waitFor();

test('the page of the guide lists, starts, answers, downloads, starts again and removes', async () => {
  await press('Write');
  await untilState('suspended');
  await page.getByRole('radio', { name: 'discard' }).check();
  await press('Answer');
  await untilState('completed');
  await page.getByRole('listitem').filter({ hasText: 'completed' }).waitFor();
  const [download] = await Promise.all([page.waitForEvent('download'), press('letter.txt')]);
  expect(download.suggestedFilename()).toBe('letter.txt');
  await press('Again');
  await untilState('suspended');
  await page.getByRole('listitem').nth(1).waitFor();
  await press('Stop');
  await untilState('cancelled');
  await press('Remove');
  await page.getByRole('listitem').nth(1).waitFor({ state: 'detached' });
  expect(await page.getByRole('listitem').count()).toBe(1);
  const { tasks } = await bridge.tasks({ subject: 'ada' }).list();
  expect(tasks.map(({ state, result, title }) => [state, result, title])).toEqual([['completed', { sent: false }, 'A letter']]);
  expect(complaints).toEqual([]);
});
