import { describe, expect, it, vi } from 'vitest';
import { eventId } from '../../machines/wire/index.ts';
import { liveDefaults } from '../../server/live/options.ts';
import { fakeViewer, quiesce, hubFixture } from './hub-fixture.ts';
import { taskLog } from './task-log.ts';

describe('a viewer of the hub', () => {
  it('gets what was there, then what comes, and ends with the log', async () => {
    const { store, clock, hub } = await hubFixture();
    const task = await taskLog(store);
    await task.append(3);
    const viewer = fakeViewer(clock);
    hub.subscribe(task.taskId, viewer, undefined);
    await quiesce();
    await task.append(2);
    await task.end();
    await quiesce();
    expect(viewer.ids).toEqual(task.ids);
    expect(viewer.state).toBe('ended');
    expect(hub.topics).toBe(0);
    expect(hub.viewers).toBe(0);
    expect(store.unwatched).toEqual([task.taskId]);
    expect(clock.armed).toEqual([]);
  });

  it('reads a long history in pages and in order', async () => {
    const { store, clock, hub } = await hubFixture();
    const task = await taskLog(store);
    for (let commit = 0; commit < 50; commit += 1) await task.append(1 + (commit % 3));
    await task.end();
    const viewer = fakeViewer(clock, 'ws', 'ann', { replayFactsMax: 10 });
    hub.subscribe(task.taskId, viewer, undefined);
    await vi.waitFor(() => expect(viewer.state).toBe('ended'));
    expect(viewer.ids).toEqual(task.ids);
    expect(Math.max(...viewer.writes.map(({ length }) => length))).toBe(10);
  });

  it('ends at once where the cursor is at the end of a finished log', async () => {
    const { store, clock, hub } = await hubFixture();
    const task = await taskLog(store);
    await task.append(3);
    await task.end();
    const viewer = fakeViewer(clock);
    hub.subscribe(task.taskId, viewer, task.ids.at(-1));
    await quiesce();
    expect(viewer.ids).toEqual([]);
    expect(viewer.state).toBe('ended');
  });

  it('shares one tail and what one turn brought with all others of its task', async () => {
    const { store, clock, hub } = await hubFixture();
    const tail = vi.spyOn(store, 'tail');
    const task = await taskLog(store);
    const viewers = Array.from({ length: 5 }, () => fakeViewer(clock));
    for (const viewer of viewers) hub.subscribe(task.taskId, viewer, undefined);
    await quiesce();
    const reads = store.reads;
    await Promise.all([task.append(2), task.append(3)]);
    await quiesce();
    expect(tail).toHaveBeenCalledTimes(1);
    expect(store.reads).toBe(reads);
    for (const viewer of viewers) {
      expect(viewer.ids).toEqual(task.ids);
      expect(viewer.writes).toHaveLength(1);
      expect(viewer.writes[0]).toBe(viewers[0]?.writes[0]);
    }
  });

  it('is told of a trimmed gap and goes on with the first fact that is kept', async () => {
    const { store, clock, hub } = await hubFixture();
    const task = await taskLog(store);
    await task.append(10, { keepLast: 4 });
    const viewer = fakeViewer(clock);
    hub.subscribe(task.taskId, viewer, task.ids[2]);
    await quiesce();
    expect(viewer.gaps).toEqual([{ reason: 'trimmed', firstEventId: task.ids[6] }]);
    expect(viewer.ids).toEqual(task.ids.slice(6));
  });

  it.each([
    ['another time', 3, 999],
    ['a number beyond the newest', 42, 1_800_000_000_042],
  ])('is told of a reset for a cursor with %s', async (_name, n, ms) => {
    const { store, clock, hub } = await hubFixture();
    const task = await taskLog(store);
    await task.append(5);
    const viewer = fakeViewer(clock);
    hub.subscribe(task.taskId, viewer, eventId(n, ms));
    await quiesce();
    expect(viewer.gaps).toEqual([{ reason: 'reset', firstEventId: task.ids[0] }]);
    expect(viewer.ids).toEqual(task.ids);
  });

  it('falls behind a hole and reads what is missing', async () => {
    const { store, clock, hub } = await hubFixture();
    const task = await taskLog(store);
    const viewer = fakeViewer(clock);
    hub.subscribe(task.taskId, viewer, undefined);
    await quiesce();
    store.loses = (_, entries) => entries.some(({ eventId: id }) => id === task.ids[1]);
    await task.append();
    await quiesce();
    await task.append();
    await quiesce();
    expect(viewer.ids).toEqual(task.ids.slice(0, 1));
    await task.append();
    await quiesce();
    expect(viewer.ids).toEqual(task.ids);
  });

  it.each(['the next heartbeat', 'a renewed connection'])('gets a lost terminal fact after %s', async (occasion) => {
    const { store, clock, hub } = await hubFixture();
    const task = await taskLog(store);
    const viewers = [fakeViewer(clock), fakeViewer(clock, 'sse')];
    for (const viewer of viewers) hub.subscribe(task.taskId, viewer, undefined);
    const followed = vi.fn();
    hub.listen(task.taskId, followed);
    await task.append(2);
    await quiesce();
    followed.mockClear();
    store.loses = (_taskId, _entries, ended) => ended;
    await task.end();
    await quiesce();
    for (const viewer of viewers) expect(viewer.state).toBe('open');
    expect(followed).not.toHaveBeenCalled();
    if (occasion === 'the next heartbeat') clock.advance(liveDefaults.heartbeatMs);
    else store.interrupt();
    await quiesce();
    for (const viewer of viewers) {
      expect(viewer.ids).toEqual(task.ids);
      expect(viewer.state).toBe('ended');
    }
    expect(followed).toHaveBeenCalledTimes(1);
    expect(store.asked).toBe(1);
  });

  it('asks for the newest ids of all watched tasks in one batch, and for none where nobody watches', async () => {
    const { store, clock, hub } = await hubFixture();
    const tasks = await Promise.all([taskLog(store), taskLog(store), taskLog(store)]);
    const leave = tasks.map(({ taskId }) => hub.subscribe(taskId, fakeViewer(clock), undefined));
    await quiesce();
    clock.advance(liveDefaults.heartbeatMs);
    await quiesce();
    expect(store.asked).toBe(1);
    for (const subscription of leave) subscription.close();
    clock.advance(10 * liveDefaults.heartbeatMs);
    await quiesce();
    expect(store.asked).toBe(1);
    expect(clock.armed).toEqual([]);
  });

  it('starts again from the first kept fact when the history is replaced under it', async () => {
    const { store, clock, hub } = await hubFixture();
    const task = await taskLog(store);
    const viewer = fakeViewer(clock);
    hub.subscribe(task.taskId, viewer, undefined);
    await task.append(3);
    await quiesce();
    const other = await taskLog(store, (n) => 1_900_000_000_000 + n);
    await other.append(2);
    // The same task, with another past.
    const [read, lastEventIds] = [store.read.bind(store), store.lastEventIds.bind(store)];
    store.read = (_taskId, ...rest) => read(other.taskId, ...rest);
    store.lastEventIds = () => lastEventIds([other.taskId]);
    store.interrupt();
    await quiesce();
    expect(viewer.gaps).toEqual([{ reason: 'reset', firstEventId: other.ids[0] }]);
    expect(viewer.ids).toEqual([...task.ids, ...other.ids]);
  });

  it('does so where the number of the next fact would follow, since the message before it was lost', async () => {
    const { store, clock, hub } = await hubFixture();
    const task = await taskLog(store);
    const viewer = fakeViewer(clock);
    const tail = vi.spyOn(store, 'tail');
    hub.subscribe(task.taskId, viewer, undefined);
    await task.append(3);
    await quiesce();
    const other = await taskLog(store, (n) => 1_900_000_000_000 + n);
    await other.append(4);
    const read = store.read.bind(store);
    store.read = (_taskId, ...rest) => read(other.taskId, ...rest);
    const page = await read(other.taskId, 4, { facts: 1, bytes: 1000 });
    tail.mock.calls[0]?.[0].committed(task.taskId, page?.entries ?? [], false, other.ids[2] ?? null);
    await quiesce();
    expect(viewer.gaps).toEqual([{ reason: 'reset', firstEventId: other.ids[0] }]);
    expect(viewer.ids).toEqual([...task.ids, ...other.ids]);
  });

  it('does so where the history is replaced between two reads of one page', async () => {
    const { store, clock, hub } = await hubFixture();
    const [task, other] = [await taskLog(store), await taskLog(store, (n) => 1_900_000_000_000 + n)];
    for (const log of [task, other]) await log.append(3, { textBytes: liveDefaults.viewerBytesMax });
    const read = store.read.bind(store);
    // The fact at the cursor fills the first read.
    store.read = (_taskId, ...rest) => read(store.reads === 0 ? task.taskId : other.taskId, ...rest);
    const viewer = fakeViewer(clock);
    hub.subscribe(task.taskId, viewer, task.ids[1]);
    await quiesce();
    expect(viewer.gaps).toEqual([{ reason: 'reset', firstEventId: other.ids[0] }]);
    expect(viewer.ids).toEqual(other.ids);
  });

  it('costs at most its limit and one fact while it takes nothing, and still gets everything', async () => {
    const { store, clock, hub } = await hubFixture();
    const task = await taskLog(store);
    const viewer = fakeViewer(clock);
    const brisk = fakeViewer(clock);
    viewer.blocked = true;
    hub.subscribe(task.taskId, viewer, undefined);
    hub.subscribe(task.taskId, brisk, undefined);
    await quiesce();
    for (let written = 0; written < 20 * 1024 * 1024; written += 10 * 40_000) {
      await task.append(10, { textBytes: 40_000 });
      await quiesce();
    }
    await task.end();
    await quiesce();
    expect(brisk.state).toBe('ended');
    expect(viewer.peakBytes).toBeGreaterThan(150_000);
    expect(viewer.peakBytes).toBeLessThanOrEqual(liveDefaults.viewerBytesMax + 41_000);
    while (viewer.state === 'open') {
      viewer.take();
      await quiesce();
    }
    expect(viewer.peakBytes).toBeLessThanOrEqual(liveDefaults.viewerBytesMax + 41_000);
    expect(viewer.ids).toEqual(task.ids);
    expect(viewer.state).toBe('ended');
  });

  it('is cut when it takes nothing for stalledMs, however idle its task', async () => {
    const { store, clock, hub } = await hubFixture();
    const task = await taskLog(store);
    const viewer = fakeViewer(clock);
    viewer.blocked = true;
    hub.subscribe(task.taskId, viewer, undefined);
    await quiesce();
    await task.append();
    await quiesce();
    clock.advance(liveDefaults.stalledMs - 1_000);
    expect(viewer.state).toBe('open');
    clock.advance(1_000);
    expect(viewer.state).toBe('cut');
    expect(hub.topics).toBe(0);
    expect(clock.armed).toEqual([]);
  });

  it('is not cut while it takes anything', async () => {
    const { store, clock, hub } = await hubFixture();
    const task = await taskLog(store);
    const viewer = fakeViewer(clock);
    viewer.blocked = true;
    hub.subscribe(task.taskId, viewer, undefined);
    await task.append(20);
    await quiesce();
    for (let minutes = 0; minutes < 10; minutes += 1) {
      clock.advance(59_000);
      viewer.take(1);
    }
    expect(viewer.state).toBe('open');
  });

  it('gets heartbeats while it is idle, each transport at its own pace', async () => {
    const { store, clock, hub } = await hubFixture();
    const task = await taskLog(store);
    const [ws, sse] = [fakeViewer(clock), fakeViewer(clock, 'sse')];
    hub.subscribe(task.taskId, ws, undefined);
    hub.subscribe(task.taskId, sse, undefined);
    await quiesce();
    clock.advance(14_999);
    expect([ws.heartbeats, sse.heartbeats]).toEqual([0, 0]);
    clock.advance(1);
    expect([ws.heartbeats, sse.heartbeats]).toEqual([0, 1]);
    clock.advance(5_000);
    await task.append();
    await quiesce();
    clock.advance(14_999);
    expect([ws.heartbeats, sse.heartbeats]).toEqual([0, 1]);
    clock.advance(1);
    expect([ws.heartbeats, sse.heartbeats]).toEqual([0, 2]);
    clock.advance(10_000);
    expect([ws.heartbeats, sse.heartbeats]).toEqual([1, 2]);
  });

  it('is cut when its credentials end, however far away that is', async () => {
    const { store, clock, hub } = await hubFixture();
    const task = await taskLog(store);
    const viewer = fakeViewer(clock);
    hub.subscribe(task.taskId, viewer, undefined, { cutAt: clock.now() + 2 ** 32 });
    await quiesce();
    clock.advance(2 ** 31);
    expect(viewer.state).toBe('open');
    clock.advance(2 ** 31);
    expect(viewer.state).toBe('cut');
  });

  it('survives a store that fails a few times', async () => {
    const { store, clock, hub } = await hubFixture();
    const task = await taskLog(store);
    await task.append(2);
    store.readFault = new Error('down');
    const viewer = fakeViewer(clock);
    hub.subscribe(task.taskId, viewer, undefined);
    await quiesce();
    clock.advance(200);
    await quiesce();
    store.readFault = undefined;
    clock.advance(400);
    await quiesce();
    expect(viewer.ids).toEqual(task.ids);
  });

  it.each(['readFault', 'watchFault'] as const)('is cut where the store goes on failing (%s), and nobody else is', async (fault) => {
    const { store, clock, hub } = await hubFixture();
    const [task, other] = [await taskLog(store), await taskLog(store)];
    const [viewer, neighbour] = [fakeViewer(clock), fakeViewer(clock)];
    hub.subscribe(other.taskId, neighbour, undefined);
    await quiesce();
    store[fault] = new Error('down');
    hub.subscribe(task.taskId, viewer, undefined);
    for (let second = 0; second < 10; second += 1) {
      await quiesce();
      clock.advance(1_000);
    }
    expect(viewer.state).toBe('cut');
    expect(hub.topics).toBe(1);
    await other.append();
    await quiesce();
    expect(neighbour.ids).toEqual(other.ids);
  });

  it('is cut where its task is gone', async () => {
    const { clock, hub } = await hubFixture();
    const viewer = fakeViewer(clock);
    hub.subscribe('f'.repeat(32), viewer, undefined);
    await quiesce();
    expect(viewer.state).toBe('cut');
  });

  it('is cut where it throws, and nobody else is', async () => {
    const { store, clock, hub } = await hubFixture();
    const task = await taskLog(store);
    const [broken, sound] = [fakeViewer(clock), fakeViewer(clock)];
    broken.facts = () => {
      throw new Error('broken');
    };
    hub.subscribe(task.taskId, broken, undefined);
    hub.subscribe(task.taskId, sound, undefined);
    await quiesce();
    await task.append();
    await quiesce();
    expect(broken.state).toBe('cut');
    expect(sound.ids).toEqual(task.ids);
    expect(hub.viewers).toBe(1);
  });

  it('does not loop where the tail tells of a fact that the store never shows', async () => {
    const { store, clock, hub } = await hubFixture();
    const [task, ghost] = [await taskLog(store), await taskLog(store)];
    await task.append(2);
    await ghost.append(9);
    const page = await store.read(ghost.taskId, 9, { facts: 1, bytes: 1000 });
    const tail = vi.spyOn(store, 'tail');
    const viewer = fakeViewer(clock);
    hub.subscribe(task.taskId, viewer, undefined);
    await quiesce();
    tail.mock.calls[0]?.[0].committed(task.taskId, page?.entries ?? [], false, ghost.ids[7] ?? null);
    const before = store.reads;
    for (let second = 0; second < 10; second += 1) {
      await quiesce();
      clock.advance(1_000);
    }
    expect(viewer.state).toBe('cut');
    expect(store.reads - before).toBeLessThanOrEqual(liveDefaults.storeTriesMax);
  });

  it('may be closed at any moment, also before it begins', async () => {
    const { store, clock, hub } = await hubFixture();
    const task = await taskLog(store);
    await task.append();
    const viewer = fakeViewer(clock);
    hub.subscribe(task.taskId, viewer, undefined).close();
    await quiesce();
    expect(viewer.ids).toEqual([]);
    expect(hub.topics).toBe(0);
    expect(clock.armed).toEqual([]);
  });
});
