import type { inProcess } from 'taskbridge/adapters/in-process';
import { describe, expect, test } from 'vitest';
import { browser, hostOf, numbersOf, untilLeading, upTo } from './world.ts';

const counting: Parameters<typeof inProcess>[0] = {
  'count.to': async (task) => {
    const to = Number(task.input['to']);
    for (let i = 1; i <= to; i += 1) {
      await task.progress((i / to) * 100);
      if (i % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    return {};
  },
};

describe('tabs of one browser', () => {
  test('see one task each by one socket', async () => {
    const host = await hostOf(counting);
    const open = browser(host.baseUrl);
    const first = open();
    await untilLeading(first);
    const tabs = [first, open(), open()];
    const ids = await Promise.all(
      tabs.map(async ({ client }) => (await client.start({ taskType: 'count.to', input: { to: 100 } })).taskId),
    );
    const seen = await Promise.all(tabs.map((tab, index) => numbersOf(tab, ids[index] ?? '')));
    for (const numbers of seen) expect(numbers).toEqual(upTo(102));
    expect(tabs.map(({ sockets }) => sockets.getSnapshot())).toEqual(['leading', 'following', 'following']);
    expect(host.upgrades).toBe(1);
  });

  test('go on with another one when the leader closes in the middle of 500 facts', async () => {
    const host = await hostOf(counting);
    const open = browser(host.baseUrl);
    const [first, second, third] = [open(), open(), open()] as const;
    await untilLeading(first);
    const { taskId } = await first.client.start({ taskType: 'count.to', input: { to: 500 } });
    void numbersOf(first, taskId).catch(() => undefined);
    let isClosed = false;
    const watch = (n: number): void => {
      if (n < 100 || isClosed) return;
      isClosed = true;
      void first.close();
    };
    const seen = await Promise.all([numbersOf(second, taskId, watch), numbersOf(third, taskId)]);
    for (const numbers of seen) expect(numbers).toEqual(upTo(502));
    expect([second, third].map(({ sockets }) => sockets.getSnapshot()).sort()).toEqual(['following', 'leading']);
  });
});
