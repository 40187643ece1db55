import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkReport } from '../../examples/report/check.ts';
import type { Report } from '../../examples/report/job/index.ts';
import { openWebHarness, type WebHarness } from './web-harness.ts';

let web: WebHarness;
beforeAll(async () => {
  web = await openWebHarness();
});
afterAll(() => web?.close());

const sample = new URL('../../examples/report/orders.csv', import.meta.url);

describe('the whole path of a person', () => {
  test('leads from a file by a question to a report that is right, and the log is the store’s', async () => {
    const tab = await web.openTab();
    const taskId = await tab.startSample('0');
    await tab.untilLiveBy('ws');
    await tab.untilState('suspended');
    expect(await tab.page.getByRole('heading', { name: 'What about the duplicates?' }).isVisible()).toBe(true);
    await tab.answer('Keep the last');
    await tab.untilState('completed');

    const stored = await web.stored(taskId, await tab.name());
    expect(await tab.log(stored.length)).toEqual(stored.map((fact) => JSON.stringify(fact)));
    const last = stored.at(-1);
    // What `buildReport` returned.
    const report = last?.payload && 'result' in last.payload ? (last.payload.result as unknown as Report) : undefined;
    const [download] = await Promise.all([
      tab.page.waitForEvent('download'),
      tab.page.getByRole('button', { name: /^Download the cleaned file/ }).click(),
    ]);
    expect(download.suggestedFilename()).toBe('orders-cleaned.csv');
    if (!report) throw new Error('The task has no report.');
    expect(checkReport(await readFile(sample), report, await readFile(await download.path()))).toEqual([]);
    expect(report.duplicates.answer).toBe('keep-last');
    const [second] = await Promise.all([tab.page.waitForEvent('download'), tab.press('Download the report')]);
    expect(JSON.parse(await readFile(await second.path(), 'utf8'))).toEqual(report);
  });

  test('draws the charts as they run, and the way that was taken last', async () => {
    const tab = await web.openTab();
    await tab.startSample('0');
    // The law, and the flow of its intents after it.
    const active = (id: string): Promise<void> => tab.page.locator(`[data-state="${id}"].active`).first().waitFor();
    const inFlow = (id: string): Promise<void> => tab.page.locator(`[data-state="${id}"].active`).nth(1).waitFor();
    await active('task.active.suspended');
    await active('transport.observing.delivering.steady');
    await active('connection.stream.live');
    await active('suspension.open');
    await inFlow('task.active.suspended');
    await inFlow('suspension.open');
    await tab.page.locator('[data-arrow="task.active → task.active.suspended"].taken').waitFor();
    await tab.answer();
    await active('suspension.resolved');
    await active('task.completed');
    await inFlow('task.completed');
    await tab.page.getByText('Refused here: ALREADY_TERMINAL').waitFor();
    await active('transport.done');
    await tab.page.locator('[data-arrow="task.active → task.completed"].taken').waitFor();
  });

  test('ends early with the reason that was given', async () => {
    const tab = await web.openTab();
    const taskId = await tab.startSample('20');
    await tab.untilProgress(1);
    await tab.press('Cancel the report …');
    await tab.page.getByLabel('Reason, if you like').fill('wrong file');
    await tab.press('Cancel the report');
    await tab.untilState('cancelled');
    expect(await tab.page.getByText('Cancelled: wrong file', { exact: true }).isVisible()).toBe(true);
    const stored = await web.stored(taskId, await tab.name());
    expect(await tab.log(stored.length)).toEqual(stored.map((fact) => JSON.stringify(fact)));
  });

  test('says of a task that is not there what the server says of it', async () => {
    const tab = await web.openTab('/?task=00000000000000000000000000000000');
    await tab.page.getByRole('alert').filter({ hasText: 'cannot be followed' }).waitFor();
    await tab.untilConnection('Given up');
  });

  test('loads without a complaint of any page', () => {
    expect(web.complaints).toEqual([]);
  });
});
