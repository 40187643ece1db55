import { describe, expect, it } from 'vitest';
import { createMemory, memoryStore } from '../../adapters/memory/index.ts';
import { defineTests, storeSuite } from '../conformance/index.ts';
import { commitOf, factOf, sampleTask } from '../conformance/store/samples.ts';

defineTests(
  { describe, it },
  storeSuite,
  'memory',
  async () => {
    const store = memoryStore();
    await store.open();
    return { store, close: () => store.close() };
  },
  { inapplicable: ['reopening'] },
);

defineTests({ describe, it }, storeSuite, 'memory that outlives its stores', async () => {
  const memory = createMemory();
  let store = memoryStore({ memory });
  await store.open();
  return {
    store,
    async reopen() {
      await store.close();
      store = memoryStore({ memory });
      await store.open();
      return store;
    },
    async another() {
      const other = memoryStore({ memory });
      await other.open();
      return other;
    },
    close: () => store.close(),
  };
});

describe('memory', () => {
  it('is exclusive, unless several stores share it', () => {
    expect([memoryStore().exclusive, memoryStore({ memory: createMemory() }).exclusive]).toEqual([true, false]);
  });

  it('tells the stores that share it of each other’s commits', async () => {
    const memory = createMemory();
    const [one, two] = [memoryStore({ memory }), memoryStore({ memory })];
    await Promise.all([one.open(), two.open()]);
    const task = sampleTask();
    await one.create(task);
    const told = new Promise<string | undefined>((resolve) => {
      const tail = two.tail({ committed: (_, entries) => resolve(entries[0]?.eventId), interrupted() {} });
      void tail.watch(task.taskId).then(() => one.append(commitOf(task.taskId, 1, { facts: [factOf(task.taskId, 1)] })));
    });
    expect(await told).toBe(factOf(task.taskId, 1).eventId);
    expect((await two.load(task.taskId))?.revision).toBe(2);
  });

  it('is another one each time, unless several stores share it', async () => {
    const memory = createMemory();
    const stores = [memoryStore(), memoryStore(), memoryStore({ memory }), memoryStore({ memory })];
    for (const store of stores) await store.open();
    const [one, other, first, second] = await Promise.all(stores.map((store) => store.id()));
    expect(first).toBe(second);
    expect(new Set([one, other, first]).size).toBe(3);
  });

  it('tells the time of the clock that it was given, backwards too', async () => {
    let ms = 5_000;
    const store = memoryStore({ clock: { now: () => ms, setTimeout: () => undefined, clearTimeout() {} } });
    expect(await store.now()).toBe(5_000);
    ms = 3_000;
    expect(await store.now()).toBe(3_000);
  });
});
