import { describe, expect, it, vi } from 'vitest';
import { createLiveHub } from '../../server/live/hub.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { evenChance, fakeViewer, quiesce, testStore, hubFixture } from './hub-fixture.ts';
import { taskLog } from './task-log.ts';

describe('a listener of the hub', () => {
  it('is called when it begins to hear, then after each commit until it leaves; one that throws touches nobody', async () => {
    const { store, hub } = await hubFixture();
    const task = await taskLog(store);
    const calls = vi.fn();
    hub.listen(task.taskId, () => {
      throw new Error('broken');
    });
    const leave = hub.listen(task.taskId, calls);
    expect(calls).not.toHaveBeenCalled();
    await quiesce();
    expect(calls).toHaveBeenCalledTimes(1);
    await task.append();
    await quiesce();
    expect(calls).toHaveBeenCalledTimes(2);
    leave();
    leave();
    await task.append();
    await quiesce();
    expect(calls).toHaveBeenCalledTimes(2);
    expect(hub.topics).toBe(1);
  });

  it('misses nothing that is committed while the tail opens slowly, and is not called after it left', async () => {
    const { store, hub } = await hubFixture();
    const task = await taskLog(store);
    let opened: (() => void) | undefined;
    const tail = store.tail.bind(store);
    store.tail = (listener) => {
      const real = tail(listener);
      return { ...real, watch: (taskId) => new Promise<void>((resolve) => (opened = resolve)).then(() => real.watch(taskId)) };
    };
    const [calls, gone] = [vi.fn(), vi.fn()];
    hub.listen(task.taskId, calls);
    hub.listen(task.taskId, gone)();
    await task.append();
    await quiesce();
    expect(calls).not.toHaveBeenCalled();
    opened?.();
    await quiesce();
    expect(calls).toHaveBeenCalledTimes(1);
    expect(gone).not.toHaveBeenCalled();
  });
});

describe('closing the hub', () => {
  it('cuts the viewers staggered, by chance, and resolves when the last is gone', async () => {
    const [store, clock] = [await testStore(), fakeClock()];
    const task = await taskLog(store);
    const draws = [0, 0.5, 0.9];
    const hub = createLiveHub({ store, clock, chance: { ...evenChance, fraction: () => draws.shift() ?? 0 } });
    const viewers = [fakeViewer(clock), fakeViewer(clock), fakeViewer(clock)];
    for (const viewer of viewers) hub.subscribe(task.taskId, viewer, undefined);
    await quiesce();
    const closed = vi.fn();
    void hub.close({ spreadMs: 1_000 }).then(closed);
    await quiesce();
    expect(viewers.map(({ state }) => state)).toEqual(['cut', 'open', 'open']);
    clock.advance(500);
    expect(viewers.map(({ state }) => state)).toEqual(['cut', 'cut', 'open']);
    await task.append();
    await quiesce();
    expect(viewers[2]?.ids).toEqual(task.ids);
    expect(closed).not.toHaveBeenCalled();
    clock.advance(400);
    await quiesce();
    expect(closed).toHaveBeenCalledTimes(1);
    expect(hub.topics).toBe(0);
  });

  it('keeps calling its listeners, and closes the tail when the last one has left', async () => {
    const { store, hub } = await hubFixture();
    const task = await taskLog(store);
    const closed = vi.fn();
    const tail = store.tail.bind(store);
    store.tail = (listener) => {
      const real = tail(listener);
      return { ...real, close: () => real.close().then(closed) };
    };
    const calls = vi.fn();
    const leave = hub.listen(task.taskId, calls);
    await quiesce();
    await hub.close();
    await task.append();
    await quiesce();
    expect(calls).toHaveBeenCalledTimes(2);
    expect(closed).not.toHaveBeenCalled();
    leave();
    await quiesce();
    expect(closed).toHaveBeenCalledTimes(1);
  });

  it('cuts whoever comes afterwards', async () => {
    const { store, clock, hub } = await hubFixture();
    const task = await taskLog(store);
    await hub.close();
    const viewer = fakeViewer(clock);
    hub.subscribe(task.taskId, viewer, undefined);
    expect(viewer.state).toBe('cut');
  });
});

describe('the options of the live path', () => {
  it.each([
    [{ heartbeatMs: 60_000 }, 'heartbeatMs (60000) must be below 60000'],
    [{ viewerBytesMax: 0 }, 'viewerBytesMax (0) must be a whole number'],
    [{ stalledMs: 1.5 }, 'stalledMs (1.5) must be a whole number'],
    [JSON.parse('{"hartbeatMs":1}') as object, 'hartbeatMs is no option of the live path'],
  ])('are checked at construction: %j', async (options, message) => {
    await expect(hubFixture({ options })).rejects.toThrow(message);
  });
});

describe('the sinks of a host', () => {
  it('hear of streams, replays and deliveries, and touch nobody when they throw', async () => {
    const calls: unknown[] = [];
    const { store, clock, hub } = await hubFixture({
      metrics: {
        incrementCounter: (name, value, tags) => void calls.push([name, value, tags]),
        setGauge: (name, value, tags) => void calls.push([name, value, tags]),
      },
      diagnostics: {
        onReplayStart: (...args) => void calls.push(['replay', ...args]),
        onDelivery: () => {
          throw new Error('broken');
        },
        onDisconnect: (...args) => void calls.push(['gone', ...args]),
      },
    });
    const task = await taskLog(store);
    await task.append(2);
    const viewer = fakeViewer(clock);
    const subscription = hub.subscribe(task.taskId, viewer, task.ids[0]);
    await quiesce();
    subscription.close();
    expect(viewer.ids).toEqual(task.ids.slice(1));
    expect(calls).toEqual([
      ['streams_active', 1, { transport: 'ws' }],
      ['replay', 'ws', task.taskId, task.ids[0]],
      ['replays_total', 1, { transport: 'ws' }],
      ['streams_active', 0, { transport: 'ws' }],
      ['gone', 'ws', task.taskId],
    ]);
  });

  it('touch nobody when they reject, and each is logged', async () => {
    const errors: string[] = [];
    const rejects = () => Promise.reject(new Error('broken')) as never;
    const { store, clock, hub } = await hubFixture({
      metrics: { incrementCounter: rejects, setGauge: rejects },
      diagnostics: { onReplayStart: rejects, onDelivery: rejects, onDisconnect: rejects },
      logger: { warn: () => undefined, error: (message) => void errors.push(message) },
    });
    const task = await taskLog(store);
    await task.append(2);
    const viewer = fakeViewer(clock);
    const subscription = hub.subscribe(task.taskId, viewer, task.ids[0]);
    await quiesce();
    subscription.close();
    await quiesce();
    expect(viewer.ids).toEqual(task.ids.slice(1));
    // Two gauges, the replay and its count, one delivery, the end.
    expect(errors).toEqual(Array.from({ length: 6 }, () => 'A sink of the host failed.'));
  });
});
