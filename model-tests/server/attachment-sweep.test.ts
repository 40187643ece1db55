import { readdir, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { fileAttachments } from '../../adapters/file/index.ts';
import { createMemory, memoryAttachments, memoryStore, type Memory } from '../../adapters/memory/index.ts';
import { AttachmentSweep, MARKS_MAX } from '../../server/attachment-sweep.ts';
import { systemClock, type AttachmentStore, type Clock } from '../../server/ports/index.ts';
import { createTaskBridge, type TaskExecutor } from '../../server/index.ts';
import { fakeClock, type FakeClock } from '../support/fake-clock.ts';
import { tempFolder } from '../support/temp-folder.ts';

const HOUR_MS = 60 * 60 * 1000;
const alice = { subject: 'alice' };
const running: TaskExecutor = {
  name: 'outside',
  leased: false,
  handles: () => true,
  repeatable: () => true,
  start: async () => ({ status: 'started' }),
  resume: async () => undefined,
  cancel: async () => undefined,
};

interface Stage {
  readonly clock?: Clock & Pick<FakeClock, 'advance'>;
  readonly attachments?: AttachmentStore;
  readonly memory?: Memory;
}

/** A host whose own look never comes; its tasks go on for ever. */
async function stage({ clock = fakeClock(), attachments = memoryAttachments({ clock }), memory = createMemory() }: Stage = {}) {
  const warnings: { readonly message: string; readonly fields: unknown }[] = [];
  const bridge = createTaskBridge({
    store: memoryStore({ clock, memory }),
    executor: running,
    auth: () => alice,
    attachments: { ...attachments, shared: true },
    clock,
    tasks: { reconcileMs: 100 * HOUR_MS, leaseMs: 300 * HOUR_MS },
    logger: { warn: (message, fields) => warnings.push({ message, fields }), error: (message) => warnings.push({ message, fields: {} }) },
  });
  await bridge.start();
  onTestFinished(() => bridge.close());
  const create = async (name: string) =>
    (await bridge.tasks(alice).start({ clientRequestId: name, taskType: 'x', attachments: [{ fileName: 'a', content: name }] })).taskId;
  return { bridge, clock, attachments, memory, warnings, create, prune: async () => (await bridge.prune()).attachmentsSwept };
}

async function put(attachments: AttachmentStore, key: string): Promise<string> {
  await attachments.put(
    key,
    (async function* () {
      yield Buffer.from('left behind');
    })(),
  );
  return key;
}

async function keysOf(attachments: AttachmentStore): Promise<string[]> {
  const keys: string[] = [];
  for await (const key of attachments.keys(Number.MAX_SAFE_INTEGER)) keys.push(key);
  return keys.sort();
}

const orphan = `${'a'.repeat(32)}/0`;

test('deletes a file that two sweeps, an hour apart, find without a task, and says how many', async () => {
  const { clock, attachments, warnings, create, prune } = await stage();
  const kept = `${await create('kept')}/0`;
  await put(attachments, orphan);
  clock.advance(2 * HOUR_MS);
  expect(await prune()).toBe(0);
  clock.advance(HOUR_MS - 1);
  expect([await prune(), await prune()]).toEqual([0, 0]);
  clock.advance(1);
  expect(await prune()).toBe(1);
  expect(await keysOf(attachments)).toEqual([kept]);
  expect(warnings).toEqual([{ message: 'Files were deleted that no task had for an hour.', fields: { count: 1 } }]);
});

test('deletes nothing because the date was set', async () => {
  let aheadMs = 0;
  const still = fakeClock();
  const clock = { ...still, now: () => still.now() + aheadMs, monotonic: () => still.now(), advance: (ms: number) => still.advance(ms) };
  const { attachments, create, prune } = await stage({ clock });
  await create('kept');
  await put(attachments, orphan);
  for (aheadMs of [0, 2 * HOUR_MS, 48 * HOUR_MS]) expect(await prune()).toBe(0);
  clock.advance(HOUR_MS);
  expect(await prune()).toBe(1);
});

test('keeps the files of running tasks where the host starts with an empty store, and with another one', async () => {
  const { path, remove } = await tempFolder('sweep');
  onTestFinished(remove);
  const clock = fakeClock();
  const attachments = fileAttachments({ path });
  const first = await stage({ clock, attachments });
  const tasks = await Promise.all(['1', '2', '3', '4', '5'].map((name) => first.create(name)));
  expect(await first.prune()).toBe(0);
  for (const task of tasks) await utimes(join(path, task, '0'), 1000, 1000);

  for (const hasTasks of [false, true]) {
    const other = await stage({ clock, attachments });
    if (hasTasks) await other.create('a task of its own');
    for (let hour = 0; hour < 4; hour++) {
      expect(await other.prune()).toBe(0);
      clock.advance(HOUR_MS);
    }
    expect(await readdir(path)).toEqual(expect.arrayContaining(tasks));
    expect(other.warnings.map(({ message }) => message)).toEqual([
      'No attachment is swept: the files are of the tasks of another store. Where that is gone for good, delete them and the id that they carry.',
    ]);
  }
});

test('keeps them too where the store is the same and has lost its tasks', async () => {
  const { clock, attachments, memory, create, prune } = await stage();
  const kept = await Promise.all(['1', '2'].map((name) => create(name)));
  clock.advance(2 * HOUR_MS);
  expect(await prune()).toBe(0);
  memory.tasks.clear();
  for (let hour = 0; hour < 4; hour++) {
    expect(await prune()).toBe(0);
    clock.advance(HOUR_MS);
  }
  expect(await keysOf(attachments)).toEqual(kept.map((task) => `${task}/0`).sort());
});

test('takes files without the id of a store for its own once one is of a task of it, and before that sweeps none', async () => {
  const { clock, attachments, warnings, create, prune, memory } = await stage();
  await put(attachments, orphan);
  for (let hour = 0; hour < 4; hour++) {
    clock.advance(HOUR_MS);
    expect(await prune()).toBe(0);
  }
  expect(await attachments.storeId()).toBeUndefined();
  expect(warnings).toHaveLength(1);
  expect(warnings[0]?.message).toContain('they carry no id of a store, and none is of a task of this one');
  await create('mine');
  expect(await prune()).toBe(0);
  expect(await attachments.storeId()).toBe(memory.id);
  clock.advance(HOUR_MS);
  expect(await prune()).toBe(1);
});

test('keeps a file whose task came after the first sweep', async () => {
  const { clock, attachments, memory, create, prune } = await stage();
  const [one, other] = [await create('one'), await create('other')];
  const row = memory.tasks.get(one);
  memory.tasks.delete(one);
  clock.advance(2 * HOUR_MS);
  expect(await prune()).toBe(0);
  if (row) memory.tasks.set(one, row);
  clock.advance(2 * HOUR_MS);
  expect(await prune()).toBe(0);
  expect(await keysOf(attachments)).toEqual([one, other].map((task) => `${task}/0`).sort());
});

test('marks so many files at once, and the others when those are gone', async () => {
  const clock = fakeClock();
  const { attachments, memory, create } = await stage({ clock });
  await create('kept');
  const left = Array.from({ length: MARKS_MAX + 1 }, (_, n) => `${n.toString(16).padStart(32, '0')}/0`);
  const gone = new Set<string>();
  const many: AttachmentStore = {
    ...attachments,
    async *keys() {
      yield* attachments.keys(Number.MAX_SAFE_INTEGER);
      for (const key of left) if (!gone.has(key)) yield key;
    },
    remove: async (key) => void gone.add(key),
  };
  const store = memoryStore({ clock, memory });
  await store.open();
  const sweep = new AttachmentSweep({ attachments: many, store, clock, logger: { warn: vi.fn(), error: vi.fn() } });
  const counts: number[] = [];
  for (let hour = 0; hour < 4; hour++) {
    counts.push((await sweep.run(new AbortController().signal)).swept);
    clock.advance(HOUR_MS);
  }
  expect(counts).toEqual([0, MARKS_MAX, 0, 1]);
});

test('does not keep due tasks waiting for a sweep', async () => {
  const attachments = { ...memoryAttachments(), storeId: () => new Promise<never>(() => undefined) };
  const due = vi.fn<() => void>();
  const store = memoryStore();
  const bridge = createTaskBridge({
    store: {
      ...store,
      take(asked) {
        due();
        return store.take(asked);
      },
    },
    executor: running,
    auth: () => alice,
    attachments,
    clock: systemClock,
    tasks: { reconcileMs: 5, leaseMs: 1000 },
  });
  await bridge.start();
  onTestFinished(() => bridge.close());
  await vi.waitFor(() => expect(due.mock.calls.length).toBeGreaterThan(3));
});

test('is refused an attachment store that cannot say whose its files are', () => {
  const { claim, ...old } = memoryAttachments();
  const options = { store: memoryStore(), executor: running, auth: () => alice };
  expect(() => createTaskBridge({ ...options, attachments: old as AttachmentStore })).toThrow('attachments has no storeId() and claim()');
  expect(() => createTaskBridge({ ...options, attachments: { ...old, claim } })).not.toThrow();
});
