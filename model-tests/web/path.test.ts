import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkReport } from '../../examples/report/check.ts';
import type { Report } from '../../examples/report/job/index.ts';
import { openTheatre, type Theatre } from './theatre.ts';

let theatre: Theatre;
beforeAll(async () => {
  theatre = await openTheatre();
});
afterAll(() => theatre?.close());

const sample = new URL('../../examples/report/orders.csv', import.meta.url);

describe('the whole path of a person', () => {
  test('leads from a file by a question to a report that is right, and the log is the store’s', async () => {
    const visitor = await theatre.visit();
    const taskId = await visitor.startSample('0');
    await visitor.untilLiveBy('ws');
    await visitor.untilState('suspended');
    expect(await visitor.page.getByRole('heading', { name: 'What about the duplicates?' }).isVisible()).toBe(true);
    await visitor.answer('Keep the last');
    await visitor.untilState('completed');

    const stored = await theatre.stored(taskId, await visitor.name());
    expect(await visitor.log(stored.length)).toEqual(stored.map((fact) => JSON.stringify(fact)));
    const last = stored.at(-1);
    // What `buildReport` returned.
    const report = last?.payload && 'result' in last.payload ? (last.payload.result as unknown as Report) : undefined;
    const [download] = await Promise.all([
      visitor.page.waitForEvent('download'),
      visitor.page.getByRole('button', { name: /^Download the cleaned file/ }).click(),
    ]);
    expect(download.suggestedFilename()).toBe('orders-cleaned.csv');
    if (!report) throw new Error('The task has no report.');
    expect(checkReport(await readFile(sample), report, await readFile(await download.path()))).toEqual([]);
    expect(report.duplicates.answer).toBe('keep-last');
    const [second] = await Promise.all([visitor.page.waitForEvent('download'), visitor.press('Download the report')]);
    expect(JSON.parse(await readFile(await second.path(), 'utf8'))).toEqual(report);
  });

  test('draws the charts as they run, and the way that was taken last', async () => {
    const visitor = await theatre.visit();
    await visitor.startSample('0');
    const active = (id: string): Promise<void> => visitor.page.locator(`[data-state="${id}"].active`).waitFor();
    await active('task.active.suspended');
    await active('transport.observing.delivering.webSocket.live');
    await active('transport.observing.gate.open');
    await active('suspension.open');
    await visitor.page.locator('[data-arrow="task.active → task.active.suspended"].taken').waitFor();
    await visitor.answer();
    await active('suspension.resolved');
    await active('task.completed');
    await active('transport.done');
    await visitor.page.locator('[data-arrow="task.active → task.completed"].taken').waitFor();
  });

  test('ends early with the reason that was given', async () => {
    const visitor = await theatre.visit();
    const taskId = await visitor.startSample('20');
    await visitor.untilProgress(1);
    await visitor.press('Cancel the report …');
    await visitor.page.getByLabel('Reason, if you like').fill('wrong file');
    await visitor.press('Cancel the report');
    await visitor.untilState('cancelled');
    expect(await visitor.page.getByText('Cancelled: wrong file', { exact: true }).isVisible()).toBe(true);
    const stored = await theatre.stored(taskId, await visitor.name());
    expect(await visitor.log(stored.length)).toEqual(stored.map((fact) => JSON.stringify(fact)));
  });

  test('says of a task that is not there what the server says of it', async () => {
    const visitor = await theatre.visit('/?task=00000000000000000000000000000000');
    await visitor.page.getByRole('alert').filter({ hasText: 'cannot be followed' }).waitFor();
    await visitor.untilConnection('Given up');
  });

  test('loads without a complaint of any page', () => {
    expect(theatre.complaints).toEqual([]);
  });
});
