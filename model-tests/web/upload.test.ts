import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { openWebHarness, type WebHarness } from './web-harness.ts';
import type { PageDriver } from './page-driver.ts';

let web: WebHarness;
let tab: PageDriver;
beforeAll(async () => {
  web = await openWebHarness();
});
afterEach(() => tab.page.close());
afterAll(() => web?.close());

const BYTES_PER_SECOND = 400_000;
const ROWS = 30_000;

/** Drops a file of so many rows onto the page; notes what the bar shows while it is sent. */
async function drop(fileName: string): Promise<number> {
  await tab.page.getByLabel('Work').selectOption('0');
  return tab.page.evaluate(
    ({ rows, name }) => {
      const lines = Array.from({ length: rows }, (_, row) => `${row},2026-01-01,${row % 97}.5`);
      const file = new File([`id,day,amount\n${lines.join('\n')}\n`], name, { type: 'text/csv' });
      const files = new DataTransfer();
      files.items.add(file);
      const shown: number[] = [];
      Object.assign(globalThis, { shown });
      new MutationObserver(() => {
        const bar = document.querySelector<HTMLProgressElement>('progress[aria-label=Upload]');
        if (bar && bar.max > 1 && shown.at(-1) !== bar.value / bar.max) shown.push(bar.value / bar.max);
      }).observe(document.body, { subtree: true, childList: true, attributes: true });
      const zone = document.querySelector('.drop');
      for (const type of ['dragover', 'drop'])
        zone?.dispatchEvent(new DragEvent(type, { dataTransfer: files, bubbles: true, cancelable: true }));
      return file.size;
    },
    { rows: ROWS, name: fileName },
  );
}

async function throttle(uploadThroughput: number): Promise<void> {
  const devtools = await web.context.newCDPSession(tab.page);
  await devtools.send('Network.enable');
  await devtools.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput });
}

const shown = (): Promise<readonly number[]> => tab.page.evaluate(() => (globalThis as unknown as { shown: number[] }).shown);

describe('a file that is dropped', () => {
  test('is sent with its progress shown, arrives whole, and becomes a report', async () => {
    tab = await web.openTab();
    await throttle(BYTES_PER_SECOND);
    const requests: string[] = [];
    tab.page.on('request', (request) => {
      if (request.method() === 'POST' && request.url().endsWith('/api/v1/tasks')) requests.push(request.resourceType());
    });
    const size = await drop('many rows.csv');
    await tab.page.waitForURL(/\?task=/);
    await tab.untilState('completed');
    expect(requests).toEqual(['xhr']);
    const parts = await shown();
    expect(parts.filter((part) => part > 0 && part < 1).length).toBeGreaterThan(1);
    expect([...parts].sort((a, b) => a - b)).toEqual(parts);
    const last = (await web.stored(tab.taskId(), await tab.name())).at(-1);
    expect(last).toMatchObject({
      type: 'TASK_COMPLETED',
      payload: { result: { source: { fileName: 'many rows.csv', bytes: size }, rows: { read: ROWS, kept: ROWS } } },
    });
  });

  test('is sent again where the connection was cut half-way', async () => {
    tab = await web.openTab();
    await throttle(BYTES_PER_SECOND);
    await drop('again.csv');
    await tab.page.waitForFunction(() => (globalThis as unknown as { shown: number[] }).shown.some((part) => part > 0.2 && part < 1));
    expect(web.demo.network.cut().cut).toBeGreaterThan(0);
    await tab.page.waitForURL(/\?task=/);
    await tab.untilState('completed');
    const stored = await web.stored(tab.taskId(), await tab.name());
    expect(await tab.log(stored.length)).toEqual(stored.map((fact) => JSON.stringify(fact)));
  });

  test('is refused with a sentence where it is no table', async () => {
    tab = await web.openTab();
    await tab.page.getByLabel('File', { exact: true }).setInputFiles({ name: 'empty.csv', mimeType: 'text/csv', buffer: Buffer.from('') });
    await tab.untilState('failed');
    await tab.page.locator('.notice.bad').filter({ hasText: 'EMPTY_CSV' }).waitFor();
  });
});
