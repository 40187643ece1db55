import type { inProcess } from 'taskbridge/adapters/in-process';
import { createTaskBridgeClient, nodeSockets } from 'taskbridge/client/node';
import { platformChannels, processLocks, tabSockets, type ChannelPort, type TabSockets } from 'taskbridge/client/tabs';
import { multiplexed, type SocketPort } from 'taskbridge/client/transports';
import { describe, expect, onTestFinished, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { patience } from '../support/patience.ts';
import { until } from '../support/until.ts';
import { browser, hostOf, numbersOf, untilLeading, upTo } from './tabs-harness.ts';

/** Credentials that end while whoever was just given them is kept from his turn are refused, and rightly. */
const TOKEN_MS = patience(2000);
/** Good for a short while, on the server and by its own word. */
const shortLived = (tab: string) => {
  let tokens = 0;
  const fresh = (): { token: string; expiresAt: number } => {
    const expiresAt = Date.now() + TOKEN_MS;
    return { token: `${tab}${++tokens}.${expiresAt}`, expiresAt };
  };
  let current = fresh();
  return ({ forceRefresh }: { forceRefresh: boolean }) => (current = forceRefresh ? fresh() : current);
};

/** What Node has. */
function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('There is none here.');
  return value;
}

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

  test.each([
    ['hears nothing', false],
    ['still hears its channels, as Chromium lets it', true],
  ])('take the lead away from a frozen one that %s, and follows when it wakes', async (_how, hears) => {
    let goOn = (): void => undefined;
    const isTime = new Promise<void>((resolve) => (goOn = resolve));
    const host = await hostOf({
      halves: async (task) => {
        for (let i = 1; i <= 100; i += 1) await task.progress(i / 2);
        await isTime;
        for (let i = 1; i <= 100; i += 1) await task.progress(50 + i / 2);
        return {};
      },
    });
    const open = browser(host.baseUrl);
    const quick = { pulseMs: 20, silenceMs: 20, absentMs: 10_000 };
    const [first, second] = [open({}, quick), open({}, quick)] as const;
    await untilLeading(first);
    const { taskId } = await first.client.start({ taskType: 'halves' });
    let wake = (): void => undefined;
    const log = numbersOf(first, taskId);
    const seen = await numbersOf(second, taskId, (n) => {
      // The last one of the first half: whoever is frozen now hears nothing of the second.
      if (n !== 101) return;
      wake = first.freeze({ hears });
      goOn();
    });
    expect(seen).toEqual(upTo(202));
    expect(second.sockets.getSnapshot()).toBe('leading');
    wake();
    expect(await log).toEqual(upTo(202));
    expect(first.sockets.getSnapshot()).toBe('following');
  });

  test('take the lead away from one whose sockets say nothing though its timers ring', async () => {
    const host = await hostOf(counting);
    const quick = { pulseMs: 20, silenceMs: 20, deafMs: 50, absentMs: 10_000 };
    const locks = processLocks();
    const channels = present(platformChannels());
    // A socket that was asked for, and of which nothing is ever heard.
    const mute: SocketPort = { sendsHeaders: true, open: () => ({ send: () => undefined, close: () => undefined }) };
    const first = tabSockets({ name: 'ada', sockets: mute, locks, channels, limits: quick });
    onTestFinished(() => first.close());
    await until(first, (state) => state === 'leading');
    const second = browser(host.baseUrl, locks)({}, quick);
    const { taskId } = await second.client.start({ taskType: 'count.to', input: { to: 10 } });
    expect(await numbersOf(second, taskId)).toEqual(upTo(12));
    expect([first.getSnapshot(), second.sockets.getSnapshot()]).toEqual(['following', 'leading']);
  });

  test('keep a leader that has nothing to ask of the network', async () => {
    const host = await hostOf(counting);
    const quick = { pulseMs: 5, silenceMs: 1000, deafMs: 10, absentMs: 10_000 };
    let answers = 0;
    const channels: ChannelPort = {
      open: (name, onMessage) =>
        present(platformChannels()).open(name, (message) => {
          if ((message as { type?: unknown }).type === 'here') answers += 1;
          onMessage(message);
        }),
    };
    const locks = processLocks();
    const [first, second] = [1, 2].map(() =>
      tabSockets({ name: 'bob', sockets: multiplexed(nodeSockets()), locks, channels, limits: quick }),
    ) as [TabSockets, TabSockets];
    for (const tab of [first, second]) onTestFinished(() => tab.close());
    await until(first, (state) => state === 'leading');
    const client = createTaskBridgeClient({ baseUrl: host.baseUrl, sockets: second, transports: ['ws'] });
    onTestFinished(() => client.close());
    const { taskId } = await client.start({ taskType: 'count.to', input: { to: 10 } });
    for await (const fact of client.observe(taskId)) expect(fact.taskId).toBe(taskId);
    // Its sockets are gone by now: whatever they were asked, nobody is owed an answer.
    const before = answers;
    await eventually(() => answers > before + 5);
    expect([first, second].map((tab) => tab.getSnapshot())).toEqual(['leading', 'following']);
  });

  test('with cursors of their own share one subscription of a task', async () => {
    const host = await hostOf(counting);
    const open = browser(host.baseUrl);
    const tabs = [open(), open(), open()] as const;
    await untilLeading(tabs[0]);
    const { taskId } = await tabs[0].client.start({ taskType: 'count.to', input: { to: 2000 } });
    const all = tabs.map((): number[] => []);
    const watch = async (index: 0 | 1 | 2, lastEventId: string): Promise<void> => {
      for await (const { eventId } of tabs[index].client.observe(taskId, { lastEventId })) {
        all[index]?.push(Number(eventId.split('-')[0]));
        if (index === 0 && all[0]?.length === 100) others.push(watch(1, ''), watch(2, eventId));
      }
    };
    const others: Promise<void>[] = [];
    await watch(0, '');
    await Promise.all(others);
    expect(all).toEqual([upTo(2002), upTo(2002), upTo(2002).slice(100)]);
    expect(host.upgrades).toBe(1);
  });

  test('have twenty tasks over one socket, each complete, once and in order in each tab', async () => {
    const host = await hostOf(counting);
    const open = browser(host.baseUrl);
    const tabs = [open(), open(), open()] as const;
    await untilLeading(tabs[0]);
    const ids = await Promise.all(
      upTo(20).map(async (n) => (await tabs[0].client.start({ taskType: 'count.to', input: { to: 50 + n } })).taskId),
    );
    const logs = await Promise.all(tabs.flatMap((tab) => ids.map((taskId) => numbersOf(tab, taskId))));
    expect(logs).toEqual(tabs.flatMap(() => upTo(20).map((n) => upTo(52 + n))));
    expect(host.most).toBe(1);
  });

  test('lose nothing where one is slower than all others', async () => {
    const host = await hostOf(counting);
    const open = browser(host.baseUrl);
    const first = open({}, { untakenCharactersMax: 100_000 });
    await untilLeading(first);
    const slow = open({ limits: { undeliveredMax: 50 } });
    const { taskId } = await first.client.start({ taskType: 'count.to', input: { to: 900 } });
    const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
    const [quick, late] = await Promise.all([numbersOf(first, taskId), numbersOf(slow, taskId, turn)]);
    expect(quick).toEqual(upTo(902));
    expect(late).toEqual(upTo(902));
  });

  test('go on with new credentials before those of the connection end, whoever has them', async () => {
    let refused = 0;
    const host = await hostOf(
      {
        slowly: async (task) => {
          for (let i = 1; i <= 400; i += 1) {
            await task.progress(i / 4);
            // Every quarter comes over another connection.
            if (i % 100 === 0) await eventually(() => host.upgrades > i / 100);
          }
          return {};
        },
      },
      {
        auth: ({ headers }) => {
          const expiresAt = Number(/^Bearer \w+\.(\d+)$/.exec(headers.authorization ?? '')?.[1]);
          if (expiresAt > Date.now()) return { subject: 'ada', expiresAt };
          refused += 1;
          return undefined;
        },
      },
    );
    const open = browser(host.baseUrl);
    const settings = (name: string) => ({ auth: shortLived(name), limits: { renewBeforeMs: Math.round(0.8 * TOKEN_MS) } });
    const tabs = [open(settings('a')), open(settings('b'))] as const;
    await untilLeading(tabs[0]);
    const { taskId } = await tabs[0].client.start({ taskType: 'slowly' });
    const logs = await Promise.all(tabs.map((tab) => numbersOf(tab, taskId)));
    expect(logs).toEqual([upTo(402), upTo(402)]);
    process.stdout.write(`tabs · ${host.upgrades} sockets, ${refused} refused, at most ${host.most} at a time\n`);
    expect(host.upgrades).toBeGreaterThan(3);
  });

  test('take 5000 facts of five tasks at once', async () => {
    const host = await hostOf(counting);
    const open = browser(host.baseUrl);
    const first = open();
    await untilLeading(first);
    const ids = await Promise.all(upTo(5).map(async () => (await first.client.start({ taskType: 'count.to', input: { to: 990 } })).taskId));
    await Promise.all(ids.map((taskId) => numbersOf(first, taskId)));
    const logs = await Promise.all([open(), open()].flatMap((tab) => ids.map((taskId) => numbersOf(tab, taskId))));
    for (const log of logs) expect(log).toEqual(upTo(992));
    expect(host.most).toBe(1);
  });
});
