import { describe, expect, test, vi } from 'vitest';
import { createMemory, memoryAttachments, memoryStore } from '../../adapters/memory/index.ts';
import type { Store } from '../../server/index.ts';
import type { Shares } from '../../server/ports/index.ts';
import { Recounts } from '../../server/shares/recount.ts';
import { ShareBook } from '../../server/shares/share-book.ts';
import { storeClock } from '../../server/task/store-clock.ts';
import type { TaskSettings } from '../../server/task/settings.ts';
import { taskSettings } from '../../server/task/settings.ts';
import { heldTasks } from '../hostile/held-tasks.ts';
import { quiesce } from '../live/hub-fixture.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { bridgeOf } from './bridge-of.ts';

const LOOK_MS = 100;
const DAY_MS = 24 * 60 * 60 * 1000;
const question = { kind: 'USER_ACTION_REQUIRED', reasonCode: 'ask', schemaVersion: 1, allowedActions: ['submit'] } as const;
const answer = (suspendId: string, text = 'yes') => ({
  suspendId,
  clientActionId: 'answer',
  actionType: 'submit',
  payload: { text },
  metadata: {},
});

/** A host whose time stands still until the test moves it. */
async function host(settings: Partial<TaskSettings> = {}, given: Partial<Store> = {}) {
  const clock = fakeClock();
  const store: Store = { ...memoryStore({ clock }), ...given };
  const held = heldTasks();
  const logger = { warn: vi.fn(), error: vi.fn() };
  const bridge = await bridgeOf(held.executor, { store, clock, logger, tasks: { reconcileMs: LOOK_MS, ...settings } });
  const sharesOf = async (owner: string): Promise<Shares> => (await store.shares(owner)).shares;
  return {
    ...bridge,
    held,
    clock,
    store,
    logger,
    sharesOf,
    /** Lets that much time pass, look by look. */
    async pass(ms: number) {
      for (let passed = 0; passed < ms; passed += LOOK_MS) {
        clock.advance(LOOK_MS);
        await quiesce();
      }
    },
    has: (owner: string, shares: Partial<Shares>) => vi.waitFor(async () => expect(await sharesOf(owner)).toMatchObject(shares)),
  };
}

/** Of each task, in the order in which they were created, whether its handler runs. */
const areRunning = (of: { readonly held: ReturnType<typeof heldTasks> }, taskIds: readonly string[]): readonly boolean[] =>
  taskIds.map((taskId) => of.held.isRunning(taskId));

describe('what an owner has', () => {
  test('is counted from the first moment of a task to its last', async () => {
    const of = await host({ retainedAfterEndMs: 1000 });
    const taskId = await of.start('hold', { text: 'ä'.repeat(500) });
    const created = { tasks: 1, active: 1, waiting: 0, questions: 0 };
    await of.has('alice', created);
    const { bytes } = await of.sharesOf('alice');
    expect(bytes).toBeGreaterThan(1000);
    const task = await of.held.of(taskId);
    await task.save({ page: 'x'.repeat(100) });
    await of.has('alice', { bytes: bytes + JSON.stringify({ page: 'x'.repeat(100) }).length });
    await task.save({ page: '' });
    await of.has('alice', { bytes: bytes + JSON.stringify({ page: '' }).length });
    const asked = task.suspend('ok', question);
    await of.has('alice', { ...created, questions: 1 });
    const [{ suspendId } = { suspendId: '' }] = (await of.snapshot(taskId)).suspensions;
    const before = (await of.sharesOf('alice')).bytes;
    await of.act(taskId, answer(suspendId, 'y'.repeat(300)));
    await asked;
    await of.has('alice', created);
    expect((await of.sharesOf('alice')).bytes).toBeGreaterThan(before + 300);
    of.held.end(taskId);
    await of.has('alice', { ...created, active: 0 });
    await of.pass(2000);
    await of.has('alice', { active: 0, waiting: 0, questions: 0, tasks: 0, bytes: 0 });
    expect(await of.store.names('alice', 10)).toEqual([]);
  });

  test('is counted for work that waits, and of the host’s lists each task is in one', async () => {
    const of = await host({ activePerOwnerMax: 1 });
    const [first, second] = [await of.start('hold'), await of.start('hold')];
    await of.has('alice', { active: 1, waiting: 1, tasks: 2 });
    await of.held.of(first);
    await vi.waitFor(async () => expect(await of.store.inState('running', 'hold', 9)).toMatchObject([{ taskId: first }]));
    expect(await of.store.inState('accepted', 'hold', 9)).toMatchObject([{ taskId: second }]);
    of.held.end(first);
    await of.held.of(second);
    await of.has('alice', { active: 1, waiting: 0, tasks: 2 });
    await vi.waitFor(async () => expect(await of.store.inState('completed', 'hold', 9)).toMatchObject([{ taskId: first }]));
    expect(await of.store.counts()).toEqual(
      expect.arrayContaining([
        { state: 'running', taskType: 'hold', count: 1 },
        { state: 'completed', taskType: 'hold', count: 1 },
      ]),
    );
  });

  test('is found again, task by task, once he is refused something: at most once a minute', async () => {
    const of = await host({ tasksPerOwnerMax: 5 });
    await of.start('hold');
    await of.has('alice', { active: 1 });
    const spoil = () => of.store.count([{ owner: 'alice', by: { tasks: 40, questions: 7 } }]);
    await of.pass(60_000);
    await spoil();
    await expect(of.start('hold')).rejects.toMatchObject({ code: 'RATE_LIMITED' });
    await of.has('alice', { tasks: 1, questions: 0, active: 1 });
    await of.start('hold');
    await spoil();
    await expect(of.start('hold')).rejects.toMatchObject({ code: 'RATE_LIMITED' });
    await of.pass(30_000);
    expect(await of.sharesOf('alice')).toMatchObject({ tasks: 42 });
    await of.pass(31_000);
    await expect(of.start('hold')).rejects.toMatchObject({ code: 'RATE_LIMITED' });
    await of.has('alice', { tasks: 2 });
  });

  test('is found again once a day, whoever he is, and a name without a task is forgotten', async () => {
    const of = await host();
    await of.start('hold');
    await of.has('alice', { active: 1 });
    await of.store.count([
      { owner: 'alice', by: { bytes: 5000, active: 3 } },
      { owner: 'gone', by: { tasks: 2 }, name: { requestKey: '00'.repeat(32), at: of.clock.now() - DAY_MS } },
    ]);
    of.clock.advance(DAY_MS + LOOK_MS);
    await of.pass(3 * LOOK_MS);
    await of.has('alice', { active: 1, tasks: 1 });
    await of.has('gone', { tasks: 0 });
    expect(await of.store.names('gone', 10)).toEqual([]);
  });

  test('is found again after the store did not take a change of it: nothing is lost by an outage', async () => {
    let isAway = false;
    const inner = memoryStore({ clock: fakeClock() });
    const of = await host({}, { ...inner, count: (changes) => (isAway ? Promise.reject(new Error('away')) : inner.count(changes)) });
    const taskId = await of.start('hold');
    const task = await of.held.of(taskId);
    await of.has('alice', { active: 1 });
    isAway = true;
    void task.suspend('ok', question).then(undefined, () => undefined);
    await vi.waitFor(() => expect(of.logger.warn).toHaveBeenCalledTimes(1));
    expect(await of.sharesOf('alice')).toMatchObject({ questions: 0 });
    isAway = false;
    await of.pass(3 * LOOK_MS);
    await of.has('alice', { questions: 1, active: 1 });
  });

  test('is right where it was found again while a change of it was written and not told of yet', async () => {
    let isAway = false;
    let answered = Promise.resolve();
    const inner = memoryStore({ clock: fakeClock() });
    const of = await host(
      {},
      {
        ...inner,
        count: (changes) => (isAway ? Promise.reject(new Error('away')) : inner.count(changes)),
        async append(commit) {
          const written = await inner.append(commit);
          await answered;
          return written;
        },
      },
    );
    const taskId = await of.start('hold');
    const task = await of.held.of(taskId);
    await of.has('alice', { active: 1 });
    isAway = true;
    await task.save('of whose bytes nobody hears');
    await vi.waitFor(() => expect(of.logger.warn).toHaveBeenCalledTimes(1));
    isAway = false;
    let release = (): void => undefined;
    answered = new Promise((resolve) => (release = resolve));
    void task.suspend('ok', question).then(undefined, () => undefined);
    await of.pass(3 * LOOK_MS);
    await of.has('alice', { questions: 1 });
    release();
    await quiesce();
    await of.pass(3 * LOOK_MS);
    await of.has('alice', { questions: 1, active: 1 });
  });

  test('is found again of all whose counts are in doubt, also where the store fails meanwhile', async () => {
    const clock = fakeClock();
    const store = memoryStore({ clock });
    await store.open();
    const logger = { warn: vi.fn(), error: vi.fn() };
    const book = new ShareBook({ store, logger, settings: taskSettings() });
    const shares = vi.fn(store.shares).mockRejectedValueOnce(new Error('away'));
    const setShares = vi.fn(store.setShares);
    const recounts = new Recounts({ store: { ...store, shares, setShares }, book, clock, time: storeClock(store, clock), logger });
    const owners = ['alice', 'bert', 'carla'];
    for (const owner of owners) book.doubt(owner);
    recounts.step();
    await vi.waitFor(() => expect(logger.warn).toHaveBeenCalledTimes(1));
    await quiesce();
    recounts.step();
    await quiesce();
    expect(setShares.mock.calls.map(([owner]) => owner).sort()).toEqual(owners);
    await recounts.close();
  });
});

describe('a share that is full', () => {
  test('is told as 429 with its name, and when to come back; nothing is written, and others are not concerned', async () => {
    const of = await host({ tasksPerOwnerMax: 2 });
    const create = (owner: string, clientRequestId: string) =>
      fetch(`${of.url}/api/v1/tasks`, {
        method: 'POST',
        headers: { authorization: owner, 'content-type': 'application/json' },
        body: JSON.stringify({ clientRequestId, taskType: 'hold', input: {} }),
      });
    await create('eve', 'one');
    await create('eve', 'two');
    const refused = await create('eve', 'three');
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '60']);
    expect(await refused.json()).toMatchObject({
      code: 'RATE_LIMITED',
      message:
        'The task was not created: its owner would have more than 2 stored tasks, the most that one may. Try again when there are fewer.',
      details: { share: 'tasks', max: 2 },
    });
    expect(await of.store.names('eve', 10)).toHaveLength(2);
    // A request that is sent again is answered all the same.
    expect(await (await create('eve', 'two')).json()).toMatchObject({ deduplicated: true });
    expect((await create('bob', 'one')).status).toBe(201);
  });

  test('counts files, and leaves none of a task that was refused', async () => {
    const attachments = memoryAttachments();
    const of = await bridgeOf(heldTasks().executor, { attachments, tasks: { bytesPerOwnerMax: 5000 } });
    const upload = async (clientRequestId: string) => {
      const body = new FormData();
      body.set('clientRequestId', clientRequestId);
      body.set('taskType', 'hold');
      body.set('attachment', new Blob(['x'.repeat(3000)], { type: 'text/plain' }), 'a.txt');
      return (await fetch(`${of.url}/api/v1/tasks`, { method: 'POST', headers: { authorization: 'eve' }, body })).status;
    };
    expect([await upload('one'), await upload('two')]).toEqual([201, 429]);
    expect((await of.store.shares('eve')).shares).toMatchObject({ tasks: 1 });
    const kept = [];
    for await (const key of attachments.keys(Number.MAX_SAFE_INTEGER)) kept.push(key);
    expect(kept).toHaveLength(1);
  });

  test('of bytes never keeps an answer, a result or what work saves from being written', async () => {
    const of = await host({ bytesPerOwnerMax: 200 });
    const taskId = await of.start('hold');
    const task = await of.held.of(taskId);
    await task.save('x'.repeat(1000));
    const asked = task.suspend('ok', question);
    await of.has('alice', { questions: 1 });
    await expect(of.start('hold')).rejects.toMatchObject({ details: { share: 'bytes' } });
    const [{ suspendId } = { suspendId: '' }] = (await of.snapshot(taskId)).suspensions;
    expect(await of.act(taskId, answer(suspendId, 'y'.repeat(1000)))).toMatchObject({ status: 'ACCEPTED' });
    await asked;
    of.held.end(taskId);
    await vi.waitFor(async () => expect((await of.snapshot(taskId)).status).toBe('COMPLETED'));
  });

  test('of questions is told to the work that asks: it may go on, and ask again when one is answered', async () => {
    const of = await host({ questionsPerOwnerMax: 1 });
    const [first, second] = [await of.start('hold'), await of.start('hold')];
    const [one, two] = [await of.held.of(first), await of.held.of(second)];
    const asked = one.suspend('ok', question);
    await of.has('alice', { questions: 1 });
    await expect(two.suspend('ok', question)).rejects.toMatchObject({ code: 'QUESTIONS_FULL' });
    await two.message('goes on');
    const [{ suspendId } = { suspendId: '' }] = (await of.snapshot(first)).suspensions;
    await of.act(first, answer(suspendId));
    await asked;
    await of.has('alice', { questions: 0 });
    void two.suspend('ok again', question).then(undefined, () => undefined);
    await of.has('alice', { questions: 1 });
  });
});

describe('work of an owner who has all that he may', () => {
  test('begins as soon as some of his ends, without a look of the clock; others do not wait for it', async () => {
    const of = await host({ activePerOwnerMax: 2 });
    const taskIds: string[] = [];
    for (let i = 0; i < 7; i += 1) taskIds.push(await of.start('hold'));
    await quiesce();
    expect(areRunning(of, taskIds).filter(Boolean)).toHaveLength(2);
    const other = await of.bridge.tasks({ subject: 'bob' }).start({ clientRequestId: 'b', taskType: 'hold' });
    await of.held.of(other.taskId);
    const begun = new Set<string>();
    for (let ended = 0; ended < taskIds.length; ended += 1) {
      await vi.waitFor(() => expect(areRunning(of, taskIds).filter(Boolean)).toHaveLength(Math.min(2, taskIds.length - ended)));
      for (const taskId of taskIds) if (of.held.isRunning(taskId)) begun.add(taskId);
      const next = taskIds.find((taskId) => of.held.isRunning(taskId)) ?? '';
      of.held.end(next);
      await vi.waitFor(() => expect(of.held.isRunning(next)).toBe(false));
    }
    expect(begun.size).toBe(taskIds.length);
  });

  test('is not looked at over and over', async () => {
    const of = await host({ activePerOwnerMax: 1 });
    for (let i = 0; i < 30; i += 1) await of.start('hold');
    await of.pass(1000);
    const load = vi.spyOn(of.store, 'load');
    await of.pass(60_000);
    expect(load).not.toHaveBeenCalled();
  });

  test('is counted over all nodes, and taken by one of them when another’s ends', async () => {
    const memory = createMemory();
    const clock = fakeClock();
    const settings = { activePerOwnerMax: 2, reconcileMs: LOOK_MS };
    const nodes = await Promise.all(
      [1, 2].map(async () => {
        const held = heldTasks();
        return { held, ...(await bridgeOf(held.executor, { store: memoryStore({ memory, clock }), clock, tasks: settings })) };
      }),
    );
    const taskIds: string[] = [];
    for (let i = 0; i < 6; i += 1) for (const node of nodes) taskIds.push(await node.start('hold'));
    const running = () => taskIds.filter((taskId) => nodes.some(({ held }) => held.isRunning(taskId)));
    for (let ended = 0; ended < taskIds.length; ended += 1) {
      await vi.waitFor(async () => {
        clock.advance(LOOK_MS);
        await quiesce();
        expect(running().length).toBe(Math.min(2, taskIds.length - ended));
      });
      const [next = ''] = running();
      for (const { held } of nodes) held.end(next);
      await vi.waitFor(() => expect(running()).not.toContain(next));
    }
  });
});

test('shares have no limit where a host says so, and none below 1', () => {
  expect(taskSettings({ activePerOwnerMax: Infinity, bytesPerOwnerMax: Infinity })).toMatchObject({ activePerOwnerMax: Infinity });
  expect(() => taskSettings({ questionsPerOwnerMax: 0 })).toThrow('questionsPerOwnerMax (0) must be a whole number of at least 1');
  expect(() => taskSettings({ crashesMax: Infinity })).toThrow('crashesMax (Infinity)');
});
