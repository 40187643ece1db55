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

describe('my reports', () => {
  test('a report that is started on one device is answered on another, by a form from its schemas', async () => {
    const taskId = await desk.startSample('0');
    await desk.untilState('suspended');
    await phone.comeBack();
    await phone.report(taskId, 'suspended').getByRole('link', { name: 'orders.csv' }).click();
    await phone.page.getByRole('heading', { name: 'orders.csv' }).waitFor();
    await phone.page.getByRole('radio', { name: 'Keep one by its place' }).check();
    expect(await phone.page.getByLabel('Which row of each').inputValue()).toBe('2');
    await phone.page.getByLabel('Which row of each').fill('3');
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

  test('a form says what does not fit before anything is sent', async () => {
    await desk.startSample('0');
    await desk.untilState('suspended');
    await desk.page.getByRole('radio', { name: 'Keep one by its place' }).check();
    const place = desk.page.getByLabel('Which row of each');
    await place.fill('0');
    await desk.press('Answer');
    expect(await place.evaluate((field: HTMLInputElement) => field.validity.rangeUnderflow)).toBe(true);
    await place.fill('1');
    await desk.press('Answer');
    await desk.untilState('completed');
    expect((await web.stored(desk.taskId(), name)).filter(({ type }) => type === 'TASK_ACTION_ACCEPTED')).toHaveLength(1);
  });

  test('states are live in the list of another device', async () => {
    const taskId = await desk.startSample('0');
    await desk.untilState('suspended');
    await phone.comeBack();
    await phone.report(taskId, 'suspended').waitFor();
    await desk.answer();
    await phone.report(taskId, 'completed').waitFor();
  });

  test('one that has ended is made again of the same file, and removed from every device', async () => {
    const taskId = await desk.startSample('0');
    await desk.untilState('suspended');
    await desk.answer('Drop them all');
    await desk.untilState('completed');
    await desk.page.goto(web.demo.url);
    await desk.report(taskId).getByRole('button', { name: 'Again: orders.csv' }).click();
    await desk.page.getByText('orders.csv is made again.').waitFor();
    const newest = desk.page.locator('[data-task]').first();
    await newest.and(desk.page.locator(`:not([data-task="${taskId}"])`)).waitFor();
    const again = (await newest.getAttribute('data-task')) ?? '';
    await desk.report(again, 'suspended').getByRole('link').click();
    await desk.answer();
    await desk.untilState('completed');
    await desk.page.goto(web.demo.url);

    await phone.comeBack();
    await phone.report(again, 'completed').waitFor();
    await desk.report(taskId).getByRole('button', { name: 'Remove … orders.csv' }).click();
    await desk.page.getByRole('dialog').getByRole('button', { name: 'Remove', exact: true }).click();
    await desk.report(taskId).waitFor({ state: 'detached' });
    expect(await desk.page.evaluate(() => document.activeElement?.id)).toBe('reports');
    await phone.comeBack();
    await phone.report(taskId).waitFor({ state: 'detached' });
    await phone.page.goto(`${web.demo.url}/?task=${again}`);
    await phone.press('Remove … orders.csv');
    await phone.page.getByRole('dialog').getByRole('button', { name: 'Remove', exact: true }).click();
    await phone.page.getByRole('heading', { name: 'My reports' }).waitFor();
    expect(await phone.report(again).count()).toBe(0);
  });
});

describe('a long list', () => {
  const many = 11;

  test('is shown page by page, and by label', async () => {
    const person = await web.openDevice('with-many');
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

  test('is of one person: another name sees none of it', async () => {
    const other = await web.openDevice('with-none');
    await other.page.getByText(/^None yet\./).waitFor();
    expect(await other.page.locator('[data-task]').count()).toBe(0);
  });

  test('that cannot be asked for says so, keeps what it shows, and is asked for again', async () => {
    const taskId = await desk.startSample('0');
    await desk.page.goto(web.demo.url);
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
