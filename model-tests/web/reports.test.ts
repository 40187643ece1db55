import { createTaskBridgeClient, type TaskBridgeClient } from 'taskbridge/client/node';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { logsAgree } from './agreement.ts';
import { openWebHarness, type WebHarness } from './web-harness.ts';
import type { PageDriver } from './page-driver.ts';

let web: WebHarness;
let phone: PageDriver;
let desk: PageDriver;
let name = '';
beforeAll(async () => {
  web = await openWebHarness();
  desk = await web.openTab();
  name = await desk.name();
  phone = await web.openDevice(name);
  await phone.page.setViewportSize({ width: 390, height: 844 });
});
afterEach(async () => {
  for (const { page } of [desk, phone]) await page.goto(web.demo.url);
});
afterAll(() => web?.close());

/** A client of the same person, without a page. */
function clientOf(subject: string): TaskBridgeClient {
  return createTaskBridgeClient({ baseUrl: `http://127.0.0.1:${web.demo.host.port}`, auth: () => web.demo.tokens.issue(subject).token });
}

/** Starts a report of a few rows, two of which agree. */
async function startSmall(client: TaskBridgeClient): Promise<string> {
  const content = new Blob(['id,n\n1,5\n1,6\n2,7\n']);
  const attachments = [{ fileName: 'small.csv', contentType: 'text/csv', content }];
  return (await client.start({ taskType: 'report.build', title: 'small.csv', input: { key: 'id' }, attachments })).taskId;
}

describe('my reports', () => {
  test('a report that is started on one device is answered on another, by a form from its schemas', async () => {
    const taskId = await desk.startSample('0');
    await desk.untilState('suspended');
    await phone.comeBack();
    await phone.report(taskId, 'suspended').getByRole('link', { name: 'orders.csv' }).click();
    await phone.page.getByRole('heading', { name: 'orders.csv' }).waitFor();
    await phone.page.getByRole('radio', { name: 'Keep one by its place' }).check();
    const place = phone.page.getByLabel('Which row of each');
    expect(await place.inputValue()).toBe('2');
    await place.fill('0');
    await phone.press('Answer');
    expect(await place.evaluate((field: HTMLInputElement) => field.validity.rangeUnderflow), 'nothing wrong is sent').toBe(true);
    await place.fill('3');
    await phone.page.getByLabel('Why').fill('the third is right');
    await phone.press('Answer');
    for (const device of [phone, desk]) {
      await device.untilState('completed');
      await device.page.getByText('Why row 3 stays: the third is right').waitFor();
    }
    await logsAgree(web, desk, phone);
    const accepted = (await web.stored(taskId, name)).filter(({ type }) => type === 'TASK_ACTION_ACCEPTED');
    expect(accepted.map(({ payload }) => payload)).toMatchObject([{ actionType: 'keep-nth' }]);
  });

  test('one that has ended is made again of the same file, live on every device, and removed from all', async () => {
    const client = clientOf(name);
    const taskId = await startSmall(client);
    await client.cancel(taskId);
    await client.close();
    await desk.comeBack();
    await desk.report(taskId, 'cancelled').getByRole('button', { name: 'Again: small.csv' }).click();
    await desk.page.getByText('small.csv is made again.').waitFor();
    const newest = desk.page.locator('[data-task]').first();
    await newest.and(desk.page.locator(`:not([data-task="${taskId}"])`)).waitFor();
    const again = (await newest.getAttribute('data-task')) ?? '';
    await phone.comeBack();
    await phone.report(again, 'suspended').waitFor();
    await desk.report(again, 'suspended').getByRole('link').click();
    await desk.answer();
    await phone.report(again, 'completed').waitFor();

    await desk.untilState('completed');
    await desk.press('Remove … small.csv');
    await desk.page.getByRole('dialog').getByRole('button', { name: 'Remove', exact: true }).click();
    await desk.report(taskId).waitFor();
    expect(await desk.report(again).count()).toBe(0);
    await phone.report(taskId).getByRole('button', { name: 'Remove … small.csv' }).click();
    await phone.page.getByRole('dialog').getByRole('button', { name: 'Remove', exact: true }).click();
    await phone.report(taskId).waitFor({ state: 'detached' });
    expect(await phone.report(again).count()).toBe(0);
    expect(await phone.page.evaluate(() => document.activeElement?.id), 'the focus is not lost with the row').toBe('reports');
  });
});

describe('a long list', () => {
  const many = 11;

  test('is shown page by page, and by label, to its owner alone', async () => {
    const person = await web.openDevice('with-many');
    await person.page.getByText(/^None yet\./).waitFor();
    const client = clientOf('with-many');
    for (let n = 0; n < many; n += 1)
      await client.start({
        taskType: 'report.build',
        input: { csv: 'id\n1\n' },
        title: `file ${n}`,
        labels: n % 4 === 0 ? ['fourth'] : [],
      });
    await client.close();
    await person.comeBack();
    const rows = person.page.locator('[data-task]');
    await rows.nth(7).waitFor();
    expect(await rows.count()).toBe(8);
    await person.press('Older reports');
    await rows.nth(many - 1).waitFor();
    expect(await rows.getByRole('link').allTextContents()).toEqual(Array.from({ length: many }, (_, n) => `file ${many - 1 - n}`));
    await rows.getByRole('button', { name: 'Only fourth' }).first().click();
    await person.page.getByRole('button', { name: 'fourth only: show all again' }).waitFor();
    await expect.poll(() => rows.getByRole('link').allTextContents()).toEqual(['file 8', 'file 4', 'file 0']);
    await person.page.getByLabel('State').selectOption('failed');
    await person.page.getByText('None of your reports is like that.').waitFor();
  });

  test('that cannot be asked for says so, keeps what it shows, and is asked for again', async () => {
    const client = clientOf(name);
    const taskId = await startSmall(client);
    await client.close();
    await desk.comeBack();
    await desk.report(taskId, 'suspended').waitFor();
    await web.demo.network.turn({ server: false });
    await desk.comeBack();
    await desk.page.getByRole('alert').filter({ hasText: 'What is shown may be old' }).waitFor();
    expect(await desk.report(taskId).count()).toBe(1);
    await web.demo.network.turn({ server: true });
    await desk.press('Ask again');
    await desk.page.getByRole('alert').waitFor({ state: 'detached' });
    await desk.report(taskId, 'suspended').getByRole('link').click();
    await desk.answer();
    await desk.untilState('completed');
  });

  test('draws without a complaint of any page', () => {
    expect(web.complaints).toEqual([]);
  });
});
