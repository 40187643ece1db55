import { describe, expect, it } from 'vitest';
import type { Store } from '../../server/ports/index.ts';
import { fakeViewer, quiesce, hubFixture } from './hub-fixture.ts';
import { taskLog } from './task-log.ts';

/** The next read is answered as of now, but later: when the function that this gives is called. */
function holdNextRead(store: Pick<Store, 'read'>): () => void {
  const read = store.read.bind(store);
  let letGo: () => void = () => undefined;
  store.read = async (...args) => {
    store.read = read;
    const page = await read(...args);
    await new Promise<void>((resolve) => (letGo = resolve));
    return page;
  };
  return () => letGo();
}

describe('the seam between history and what comes', () => {
  it('adds what came while it read, without asking the store again', async () => {
    const { store, clock, hub } = await hubFixture();
    const task = await taskLog(store);
    await task.append(2);
    hub.subscribe(task.taskId, fakeViewer(clock), undefined);
    await quiesce();
    const before = store.reads;
    const letGo = holdNextRead(store);
    const viewer = fakeViewer(clock);
    hub.subscribe(task.taskId, viewer, undefined);
    await quiesce();
    await task.append(3);
    await task.end();
    await quiesce();
    expect(viewer.ids).toEqual([]);
    letGo();
    await quiesce();
    expect(viewer.ids).toEqual(task.ids);
    expect(viewer.state).toBe('ended');
    expect(store.reads).toBe(before + 1);
  });

  it('gives the history of a task whose tail is still opening, and misses nothing that was written meanwhile', async () => {
    const { store, clock, hub } = await hubFixture();
    const task = await taskLog(store);
    await task.append(2);
    let open: (() => void) | undefined;
    const tail = store.tail.bind(store);
    store.tail = (listener) => {
      const inner = tail(listener);
      return { ...inner, watch: (taskId) => new Promise((resolve) => (open = () => resolve(inner.watch(taskId)))) };
    };
    const viewer = fakeViewer(clock);
    hub.subscribe(task.taskId, viewer, undefined);
    await quiesce();
    expect(viewer.ids).toEqual(task.ids);
    await task.append(3);
    await quiesce();
    expect(viewer.ids).toHaveLength(2);
    open?.();
    await quiesce();
    // Nothing new comes that would show what is missing.
    expect(viewer.ids).toEqual(task.ids);
    await task.append(1);
    await quiesce();
    expect(viewer.ids).toEqual(task.ids);
    expect(viewer.state).toBe('open');
  });

  it('reads once for all viewers that come back to the same place, and each of them misses nothing', async () => {
    const { store, clock, hub } = await hubFixture();
    const task = await taskLog(store);
    await task.append(3);
    hub.subscribe(task.taskId, fakeViewer(clock), undefined);
    await quiesce();
    const before = store.reads;
    const letGo = holdNextRead(store);
    const early = Array.from({ length: 50 }, () => fakeViewer(clock));
    for (const viewer of early) hub.subscribe(task.taskId, viewer, undefined);
    await quiesce();
    // Told after the store was read and before the late ones come: they have it from no one but the read.
    await task.append(2);
    await quiesce();
    const late = Array.from({ length: 50 }, () => fakeViewer(clock));
    for (const viewer of late) hub.subscribe(task.taskId, viewer, undefined);
    await quiesce();
    expect(store.reads).toBe(before + 1);
    letGo();
    await quiesce();
    for (const viewer of [...early, ...late]) expect(viewer.ids).toEqual(task.ids);
    const [first, second] = early;
    expect(first?.writes[0]).toBe(second?.writes[0]);
  });
});
