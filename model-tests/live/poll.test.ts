import { describe, expect, it, vi } from 'vitest';
import type { PollPage } from '../../server/live/poll.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { quiesce, hubFixture } from './hub-fixture.ts';
import { taskLog } from './task-log.ts';

const once = { owner: 'ann', waitMs: 0, maxEvents: 100 };
/** What a caller is shown of a page. */
const shown = ({ source: _, ...page }: PollPage) => page;
const patient = { owner: 'ann', waitMs: 25_000, maxEvents: 100 };

describe('a long poll', () => {
  it('pages through a log, exactly', async () => {
    const { store, hub } = await hubFixture();
    const task = await taskLog(store);
    await task.append(5);
    const first = await hub.poll(task.taskId, { owner: 'ann', after: undefined, waitMs: 0, maxEvents: 3 });
    expect(first).toMatchObject({ nextAfterEventId: task.ids[2], hasMore: true, terminal: false });
    const second = await hub.poll(task.taskId, { owner: 'ann', after: task.ids[2], waitMs: 0, maxEvents: 2 });
    expect(second).toMatchObject({ nextAfterEventId: task.ids[4], hasMore: false, terminal: false });
    expect([...first.entries, ...second.entries].map(({ eventId }) => eventId)).toEqual(task.ids);
    const third = await hub.poll(task.taskId, { after: task.ids[4], ...once });
    expect(shown(third)).toEqual({ entries: [], nextAfterEventId: task.ids[4], hasMore: false, terminal: false });
  });

  it.each([undefined, ''])('has no cursor to go on with where nothing is there (%j)', async (after) => {
    const { store, hub } = await hubFixture();
    const task = await taskLog(store);
    expect(await hub.poll(task.taskId, { after, ...once })).toEqual({
      entries: [],
      nextAfterEventId: null,
      hasMore: false,
      terminal: false,
    });
  });

  it('is terminal on the page that reaches the end, and at once after it', async () => {
    const { store, hub } = await hubFixture();
    const task = await taskLog(store);
    await task.append(2);
    await task.end();
    expect(await hub.poll(task.taskId, { owner: 'ann', waitMs: 25_000, maxEvents: 2 })).toMatchObject({ hasMore: true, terminal: false });
    expect(await hub.poll(task.taskId, { owner: 'ann', after: task.ids[1], waitMs: 25_000, maxEvents: 2 })).toMatchObject({
      hasMore: false,
      terminal: true,
    });
    expect(await hub.poll(task.taskId, { after: task.ids[2], ...patient })).toMatchObject({ entries: [], hasMore: false, terminal: true });
  });

  it('waits no longer than the credentials of its caller', async () => {
    const { store, clock, hub } = await hubFixture();
    const task = await taskLog(store);
    await task.append(1);
    const answer = hub.poll(task.taskId, { after: task.ids[0], ...patient, expiresAt: clock.now() + 5_000 });
    await quiesce();
    clock.advance(4_999);
    await quiesce();
    expect(hub.viewers).toBe(1);
    clock.advance(1);
    expect(shown(await answer)).toEqual({ entries: [], nextAfterEventId: task.ids[0], hasMore: false, terminal: false });
    expect(hub.viewers).toBe(0);
  });

  it('waits for a fact without asking the store', async () => {
    const { store, clock, hub } = await hubFixture();
    const task = await taskLog(store);
    await task.append(1);
    const answer = hub.poll(task.taskId, { after: task.ids[0], ...patient });
    await quiesce();
    const { reads } = store;
    clock.advance(20_000);
    await quiesce();
    expect(store.reads).toBe(reads);
    await task.append(2);
    expect((await answer).entries.map(({ eventId }) => eventId)).toEqual(task.ids.slice(1));
    expect(hub.topics).toBe(0);
    expect(hub.viewers).toBe(0);
    expect(clock.armed).toEqual([]);
  });

  it('misses nothing that is appended at any moment of its beginning', async () => {
    for (let turns = 0; turns < 12; turns += 1) {
      const { store, hub } = await hubFixture();
      const task = await taskLog(store);
      const answer = hub.poll(task.taskId, patient);
      for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
      await task.append();
      expect((await answer).entries).toHaveLength(1);
    }
  });

  it('brings a whole log once and in order, poll by poll, 200 times with random timing', async () => {
    for (let seed = 1; seed <= 200; seed += 1) {
      const random = seededRandom(seed);
      const { store, clock, hub } = await hubFixture();
      const task = await taskLog(store);
      const maxEvents = 1 + random.below(5);
      const drops = random.odds(0.3);
      store.loses = () => drops && random.odds(0.3);
      const got: string[] = [];
      let isOver = false;
      const polling = (async () => {
        let after: string | undefined;
        while (!isOver) {
          const page = await hub.poll(task.taskId, { owner: 'ann', after, waitMs: random.below(100), maxEvents });
          got.push(...page.entries.map(({ eventId }) => eventId));
          after = page.nextAfterEventId ?? undefined;
          isOver = page.terminal;
        }
      })();
      for (let commits = random.below(10); commits > 0; commits -= 1) {
        for (let turn = random.below(5); turn > 0; turn -= 1) await Promise.resolve();
        if (random.odds(0.3)) clock.advance(random.fraction() * 50);
        await task.append(1 + random.below(4));
      }
      await task.end();
      while (!isOver) {
        await new Promise(setImmediate);
        clock.advance(50);
      }
      await polling;
      expect([seed, ...got]).toEqual([seed, ...task.ids]);
      expect(hub.topics).toBe(0);
    }
  });

  it('ends empty when its time is over', async () => {
    const { store, clock, hub } = await hubFixture();
    const task = await taskLog(store);
    const answer = hub.poll(task.taskId, patient);
    await quiesce();
    clock.advance(25_000);
    expect(await answer).toMatchObject({ entries: [], hasMore: false, terminal: false });
    expect(clock.armed).toEqual([]);
  });

  it('hears of a fact whose message was lost', async () => {
    const { store, clock, hub } = await hubFixture();
    const task = await taskLog(store);
    store.loses = () => true;
    const answer = hub.poll(task.taskId, { owner: 'ann', waitMs: 60_000, maxEvents: 1 });
    await quiesce();
    await task.end();
    await quiesce();
    clock.advance(hub.options.heartbeatMs);
    expect(await answer).toMatchObject({ terminal: true });
  });

  it('is answered at once when the hub closes, and does not wait afterwards', async () => {
    const { store, hub } = await hubFixture();
    const task = await taskLog(store);
    const answer = hub.poll(task.taskId, patient);
    await quiesce();
    const closing = hub.close({ spreadMs: 5_000 });
    expect(await answer).toMatchObject({ entries: [] });
    expect(await hub.poll(task.taskId, patient)).toMatchObject({ entries: [] });
    await closing;
  });

  it('frees everything when its caller goes', async () => {
    const { store, clock, hub } = await hubFixture();
    const task = await taskLog(store);
    const gone = new AbortController();
    const answer = hub.poll(task.taskId, { ...patient, signal: gone.signal });
    await quiesce();
    expect(hub.topics).toBe(1);
    gone.abort();
    await answer;
    expect(hub.topics).toBe(0);
    expect(clock.armed).toEqual([]);
  });

  it('says a gap on the page that meets the stale cursor, and goes on from the first fact that is kept', async () => {
    const { store, hub } = await hubFixture();
    const task = await taskLog(store);
    await task.append(10, { keepLast: 3 });
    const trimmed = await hub.poll(task.taskId, { owner: 'ann', after: task.ids[1], waitMs: 0, maxEvents: 2 });
    expect(trimmed).toMatchObject({ gap: { reason: 'trimmed', firstEventId: task.ids[7] }, nextAfterEventId: task.ids[8], hasMore: true });
    const reset = await hub.poll(task.taskId, { after: '77-1', ...patient });
    expect(reset).toMatchObject({ gap: { reason: 'reset', firstEventId: task.ids[7] }, nextAfterEventId: task.ids[9], hasMore: false });
    const next = await hub.poll(task.taskId, { after: task.ids[8], ...once });
    expect(next).not.toHaveProperty('gap');
  });

  it('forgets a cursor that a reset left nothing of', async () => {
    const { store, hub } = await hubFixture();
    const task = await taskLog(store);
    const page = await hub.poll(task.taskId, { after: '7-1', ...patient });
    expect(page).toEqual({
      entries: [],
      nextAfterEventId: null,
      hasMore: false,
      terminal: false,
      gap: { reason: 'reset', firstEventId: null },
    });
  });

  it('keeps a page below its limit of bytes, and always gives one fact', async () => {
    const { store, hub } = await hubFixture({ options: { pollBytesMax: 100_000 } });
    const task = await taskLog(store);
    await task.append(3, { textBytes: 400_000 });
    await task.append(6, { textBytes: 30_000 });
    const seen: (string | undefined)[] = [];
    let after: string | undefined;
    for (let hasMore = true; hasMore;) {
      const page = await hub.poll(task.taskId, { after, ...once });
      expect(page.entries.length).toBeGreaterThan(0);
      expect(page.entries.length).toBeLessThanOrEqual(3);
      seen.push(...page.entries.map(({ eventId }) => eventId));
      after = page.nextAfterEventId ?? undefined;
      ({ hasMore } = page);
    }
    expect(seen).toEqual(task.ids);
  });

  it('is refused for a task that is gone, a store that does not answer, and one poll too many', async () => {
    const { store, hub } = await hubFixture({ options: { viewersMax: 1 } });
    await expect(hub.poll('e'.repeat(32), once)).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
    const task = await taskLog(store);
    const waiting = hub.poll(task.taskId, patient);
    await quiesce();
    await expect(hub.poll(task.taskId, patient)).rejects.toMatchObject({ code: 'RATE_LIMITED', retryAfterSeconds: 5 });
    await task.append();
    await waiting;
    store.watchFault = new Error('down');
    await expect(hub.poll(task.taskId, { ...patient, after: task.ids[0] })).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    store.readFault = new Error('down');
    await expect(hub.poll(task.taskId, once)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(hub.topics).toBe(0);
  });

  it('reads once for each poll that one fact wakes', async () => {
    const { store, hub } = await hubFixture();
    const task = await taskLog(store);
    const answers = Array.from({ length: 10 }, () => hub.poll(task.taskId, patient));
    await quiesce();
    const read = vi.spyOn(store, 'read');
    await task.append();
    await Promise.all(answers);
    expect(read).toHaveBeenCalledTimes(10);
  });
});
