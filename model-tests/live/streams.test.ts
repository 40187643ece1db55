import { describe, expect, it, vi } from 'vitest';
import { liveDefaults } from '../../server/live/options.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { turns } from '../support/eventually.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { liveHost, watchBySse, watchByWebSocket, type Host, type Watched } from './host.ts';
import { quiesce } from './hub-fixture.ts';
import { taskLog } from './task-log.ts';

const transports = [
  { name: 'WebSocket', watch: watchByWebSocket, proper: 1000 },
  {
    name: 'SSE',
    watch: (host: Host, taskId: string, cursor?: string, query = '') => watchBySse(host, taskId, cursor, query && `&${query.slice(1)}`),
    proper: 'end',
  },
] as const;

describe.each(transports)('a stream by $name', ({ watch, proper }) => {
  it('brings facts from before, during and after the subscription once and in order, 200 times', async () => {
    const host = await liveHost({ streams: { sse: { replayFactsMax: 3 }, webSocket: { replayFactsMax: 3 } } });
    for (let seed = 1; seed <= 200; seed += 1) {
      const random = seededRandom(seed);
      const task = await taskLog(host.store);
      const before = random.below(8);
      if (before > 0) await task.append(before);
      const cursor = random.odds(0.5) ? task.ids[random.below(before)] : undefined;
      const drops = random.odds(0.3);
      host.store.loses = (_id, _entries, ended) => drops && !ended && random.odds(0.3);
      const viewer: Watched = watch(host, task.taskId, cursor);
      for (let commits = random.below(12); commits > 0; commits -= 1) {
        await turns(random.below(5));
        await task.append(1 + random.below(4));
      }
      await turns(random.below(5));
      await task.end();
      expect([seed, await viewer.closed]).toEqual([seed, proper]);
      expect([seed, ...viewer.ids]).toEqual([seed, ...task.ids.slice(cursor === undefined ? 0 : task.ids.indexOf(cursor as never) + 1)]);
    }
    await vi.waitFor(() => expect(host.hub.topics).toBe(0));
  });

  it('ends at once where the task is finished and the cursor at its end', async () => {
    const host = await liveHost();
    const task = await taskLog(host.store);
    await task.append(2);
    await task.end();
    const viewer: Watched = watch(host, task.taskId, task.ids[2]);
    expect(await viewer.closed).toBe(proper);
    expect(viewer.ids).toEqual([]);
  });

  it('tells of a gap only whoever asked for it', async () => {
    const host = await liveHost();
    const task = await taskLog(host.store);
    await task.append(9, { keepLast: 2 });
    await task.end();
    const asked: Watched = watch(host, task.taskId, task.ids[0], '?extensions=gap,unheard-of');
    const silent: Watched = watch(host, task.taskId, task.ids[0]);
    await Promise.all([asked.closed, silent.closed]);
    for (const viewer of [asked, silent]) expect(viewer.ids).toEqual(task.ids.slice(7));
    expect(silent.control.map(({ type }) => type)).not.toContain('GAP');
    const [first, gap] = asked.control;
    expect(first?.extensions ?? (first?.payload as { extensions: string[] }).extensions).toEqual(['gap']);
    expect(gap).toMatchObject({ type: 'GAP', taskId: task.taskId });
    expect(gap?.payload ?? gap).toMatchObject({ reason: 'trimmed', firstEventId: task.ids[7] });
    expect(JSON.stringify(silent.control[0])).not.toContain('extensions');
  });

  it.each(['reset', 'finish'] as const)('frees everything at once when its client goes (%s)', async (way) => {
    const host = await liveHost();
    const task = await taskLog(host.store);
    await task.append(2);
    const viewer: Watched = watch(host, task.taskId);
    await vi.waitFor(() => expect(viewer.ids).toEqual(task.ids));
    expect(host.hub.topics).toBe(1);
    viewer[way]();
    await vi.waitFor(() => expect(host.hub.topics).toBe(0));
    expect(host.store.unwatched).toEqual([task.taskId]);
    await vi.waitFor(() => expect(host.door.sockets).toBe(0));
    await vi.waitFor(() => expect(host.sockets.size).toBe(0));
  });

  it.each(['reset', 'finish'] as const)('frees everything at once also when its client goes without having read (%s)', async (way) => {
    const host = await liveHost();
    const task = await taskLog(host.store);
    const viewer: Watched = watch(host, task.taskId);
    await vi.waitFor(() => expect(viewer.control).toHaveLength(1));
    viewer.pause();
    for (let chunk = 0; chunk < 10; chunk += 1) await task.append(1, { textBytes: 1_000_000 });
    viewer[way]();
    await vi.waitFor(() => expect(host.hub.topics).toBe(0));
    await vi.waitFor(() => expect(host.sockets.size).toBe(0));
  });

  it('costs little while its client does not read, and brings everything when it goes on', async () => {
    const host = await liveHost();
    const task = await taskLog(host.store);
    const viewer: Watched = watch(host, task.taskId);
    await vi.waitFor(() => expect(viewer.control).toHaveLength(1));
    viewer.pause();
    let most = 0;
    for (let megabytes = 0; megabytes < 20; megabytes += 1) {
      await task.append(50, { textBytes: 20_000 });
      await turns(3);
      most = Math.max(most, ...unsentBytes(host));
    }
    await task.end();
    expect(most).toBeGreaterThan(100_000);
    // What a transport wraps around a fact comes on top.
    expect(most).toBeLessThanOrEqual(liveDefaults.viewerBytesMax + 20_200 + 1_000);
    viewer.resume();
    expect(await viewer.closed).toBe(proper);
    expect(viewer.ids).toEqual(task.ids);
  });

  it('is cut when its client reads nothing for stalledMs', async () => {
    const clock = fakeClock();
    const host = await liveHost({ clock });
    const task = await taskLog(host.store);
    const viewer: Watched = watch(host, task.taskId);
    await vi.waitFor(() => expect(viewer.control).toHaveLength(1));
    viewer.pause();
    for (let chunk = 0; chunk < 10; chunk += 1) await task.append(1, { textBytes: 1_000_000 });
    await vi.waitFor(() => expect(Math.max(...unsentBytes(host))).toBeGreaterThan(0));
    await quiesce();
    // The first look still sees what the kernel took; from then on it takes nothing.
    clock.advance(liveDefaults.stalledMs * 1.25);
    expect(host.hub.topics).toBe(0);
    viewer.resume();
    expect(await viewer.closed).toBe('cut');
  });

  it('is cut without a goodbye when the credentials end and when the hub closes', async () => {
    const clock = fakeClock();
    const host = await liveHost({ clock, auth: { subject: 'ann', expiresAt: clock.now() + 90_000 } });
    const task = await taskLog(host.store);
    const early: Watched = watch(host, task.taskId);
    await vi.waitFor(() => expect(early.control).toHaveLength(1));
    clock.advance(90_000);
    expect(await early.closed).toBe('cut');
    if (proper === 1000) return;
    const late: Watched = watch(host, task.taskId);
    await vi.waitFor(() => expect(late.control).toHaveLength(1));
    void host.hub.close();
    expect(await late.closed).toBe('cut');
  });

  it('shows life at once, and again while it is idle', async () => {
    const clock = fakeClock();
    const host = await liveHost({ clock });
    const task = await taskLog(host.store);
    const viewer: Watched = watch(host, task.taskId);
    await vi.waitFor(() => expect(viewer.control).toHaveLength(1));
    await quiesce();
    clock.advance(proper === 1000 ? liveDefaults.heartbeatMs : liveDefaults.sseHeartbeatMs);
    await vi.waitFor(() => expect(viewer.control).toHaveLength(2));
    if (proper === 1000) {
      expect(viewer.control[0]).toEqual({
        type: 'SUBSCRIPTION_CONFIRMED',
        taskId: task.taskId,
        replayStartedAfterEventId: null,
        live: true,
      });
      expect(viewer.control[1]).toEqual({ type: 'HEARTBEAT', taskId: task.taskId, live: true });
    } else
      for (const heartbeat of viewer.control)
        expect(heartbeat).toEqual({
          type: 'HEARTBEAT',
          taskId: task.taskId,
          eventId: expect.stringMatching(/^hb-/) as string,
          createdAt: expect.stringMatching(/^\d{4}-.*Z$/) as string,
          payload: { live: true },
        });
  });
});

/** What each connection of the server has not sent yet. */
function unsentBytes(host: Host): number[] {
  return [...host.sockets].map(({ writableLength }) => writableLength);
}
