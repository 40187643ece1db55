import { describe, expect, it } from 'vitest';
import { FactQueue } from '../../server/live/fact-queue.ts';
import { liveDefaults } from '../../server/live/options.ts';
import { hubFixture, quiesce } from './hub-fixture.ts';
import { taskLog } from './task-log.ts';

const VIEWER_BYTES = 10_000;
const FACT_BYTES = 1_000;

describe('a viewer inside the process', () => {
  it('holds its limit and one fact at most, is cut for no slowness, and gets everything in order', async () => {
    const { store, clock, hub } = await hubFixture({ options: { viewerBytesMax: VIEWER_BYTES } });
    const task = await taskLog(store);
    await task.append(50, { textBytes: FACT_BYTES });
    const queue = new FactQueue('ann', clock);
    hub.subscribe(task.taskId, queue, undefined);
    await quiesce();
    let most = queue.pendingBytes();
    expect(most).toBeGreaterThan(FACT_BYTES);
    const ids: string[] = [];
    for (let facts = 0; ids.length < 101;) {
      if (facts < 51) {
        // What comes meanwhile is not held either.
        await (facts < 50 ? task.append(1, { textBytes: FACT_BYTES }) : task.end());
        facts += 1;
      }
      clock.advance(2 * liveDefaults.stalledMs);
      await quiesce();
      most = Math.max(most, queue.pendingBytes());
      const taken = await queue.take();
      if (typeof taken === 'string' || 'reason' in taken) throw new Error(`Came to ${JSON.stringify(taken)} after ${ids.length} facts.`);
      ids.push(taken.eventId);
    }
    expect(ids).toEqual(task.ids);
    clock.advance(0);
    await quiesce();
    expect(await queue.take()).toBe('ended');
    expect(most).toBeLessThanOrEqual(VIEWER_BYTES + 2 * FACT_BYTES);
    expect(hub.viewers).toBe(0);
    expect(clock.armed).toEqual([]);
  });

  it('gives what it was given before it was cut, to all who wait', async () => {
    const { store, clock, hub } = await hubFixture();
    const task = await taskLog(store);
    const queue = new FactQueue('ann', clock);
    hub.subscribe(task.taskId, queue, undefined);
    await quiesce();
    const both = Promise.all([queue.take(), queue.take()]);
    await task.append(3);
    await hub.close();
    await quiesce();
    expect((await both).map((taken) => (typeof taken === 'object' && 'eventId' in taken ? taken.eventId : taken))).toEqual(
      task.ids.slice(0, 2),
    );
    expect(await queue.take()).toMatchObject({ eventId: task.ids[2] });
    expect(await queue.take()).toBe('cut');
  });
});

describe('a first page that was read beforehand', () => {
  it('is shown without another read, and what was committed since comes after it', async () => {
    const { store, clock, hub } = await hubFixture();
    const task = await taskLog(store);
    await task.append(3);
    const first = await hub.readFirst(task.taskId, task.ids[0], 1_000);
    expect(first.entries.map(({ eventId }) => eventId)).toEqual(task.ids.slice(1));
    await task.append(2);
    const reads = store.reads;
    const queue = new FactQueue('ann', clock);
    hub.subscribe(task.taskId, queue, task.ids[0], { first });
    expect(store.reads).toBe(reads);
    const ids: unknown[] = [];
    const take = async (): Promise<void> => {
      const taken = await queue.take();
      ids.push(typeof taken === 'object' && 'eventId' in taken && taken.eventId);
    };
    // Nothing that comes later has to tell of what was committed in between, and no time passes.
    while (ids.length < 4) await take();
    await task.append(1);
    await task.end();
    for (let taken = await queue.take(); taken !== 'ended'; taken = await queue.take())
      ids.push(typeof taken === 'object' && 'eventId' in taken && taken.eventId);
    expect(ids).toEqual(task.ids.slice(1));
  });

  it('is refused where the task is gone, and where the store does not answer', async () => {
    const { store, hub } = await hubFixture();
    await expect(hub.readFirst('f'.repeat(32), undefined, 10)).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
    store.readFault = new Error('down');
    await expect(hub.readFirst('f'.repeat(32), undefined, 10)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', retryAfterSeconds: 1 });
  });
});
