import { expect, test, vi } from 'vitest';
import { inProcess, type Handler } from '../../adapters/in-process/index.ts';
import { memoryStore } from '../../adapters/memory/index.ts';
import { systemClock, type TaskExecutor } from '../../server/index.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { quiesce } from '../live/hub-fixture.ts';
import { bridgeOf, type RunningBridge } from './bridge-of.ts';
import { faultyStore } from './faulty-store.ts';

const openMemory = async (clock = systemClock) => {
  const memory = memoryStore({ clock });
  await memory.open();
  return memory;
};

const steps = (stopAt: number, stopped: () => void): Handler => {
  return async (task) => {
    const done = Number(task.saved ?? 0);
    for (let step = done + 1; step <= 6; step++) {
      if (step === stopAt) {
        stopped();
        await new Promise(() => undefined);
      }
      void task.message(`step ${step}`);
      await task.save(step);
    }
    const { actionType } = await task.suspend('sure', { reasonCode: 'SURE', allowedActions: ['yes', 'no'] });
    return actionType;
  };
};

/** A time that all nodes share, and that passes look by look: however late this process is, no lease runs out before its holder had its turn. */
function sharedTime(tasks: { readonly leaseMs: number; readonly reconcileMs: number }) {
  const clock = fakeClock();
  return {
    clock,
    tasks,
    /** Lets the other nodes look, until it is so. */
    async passUntil(isSo: () => boolean | Promise<boolean>): Promise<void> {
      while (!(await isSo())) {
        clock.advance(tasks.reconcileMs);
        await quiesce();
      }
    },
  };
}

const messages = (facts: readonly { type: string; payload: unknown }[]) =>
  facts.flatMap(({ type, payload }) => (type === 'TASK_MESSAGE' ? [(payload as { message: string }).message] : []));

const waitForState = (of: RunningBridge, taskId: string, state: string) =>
  vi.waitFor(async () => expect((await of.snapshot(taskId)).state).toBe(state));

test('runs repeatable work on from what it saved, repeating no fact and no question', async () => {
  const memory = await openMemory();
  const first = faultyStore(memory);
  let isStuck: () => void = () => undefined;
  const stuck = new Promise<void>((resolve) => (isStuck = resolve));
  const one = await bridgeOf([inProcess({ work: { run: steps(4, isStuck), repeatable: true } })], { store: first });
  const taskId = await one.start('work');
  await stuck;
  first.kill();

  const second = faultyStore(memory);
  let isAsked: () => void = () => undefined;
  const asked = new Promise<void>((resolve) => (isAsked = resolve));
  const two = await bridgeOf([inProcess({ work: { run: steps(0, isAsked), repeatable: true } })], { store: second });
  await waitForState(two, taskId, 'suspended');
  second.kill();
  void asked;

  const three = await bridgeOf([inProcess({ work: { run: steps(0, () => undefined), repeatable: true } })], { store: faultyStore(memory) });
  const [question] = (await three.snapshot(taskId)).suspensions;
  await three.act(taskId, { clientActionId: 'a', suspendId: question?.suspendId ?? '', actionType: 'yes' });
  await waitForState(three, taskId, 'completed');
  const facts = await three.facts(taskId);
  expect(messages(facts)).toEqual([1, 2, 3, 4, 5, 6].map((step) => `step ${step}`));
  expect(facts.filter(({ type }) => type === 'TASK_SUSPENDED')).toHaveLength(1);
  expect(facts.filter(({ type }) => type === 'TASK_STARTED')).toHaveLength(1);
});

test('hands an answer that was accepted before a crash to the run after it', async () => {
  const memory = await openMemory();
  const first = faultyStore(memory);
  const work = (task: Parameters<Handler>[0]) => steps(0, () => undefined)(task);
  const one = await bridgeOf([inProcess({ work: { run: work, repeatable: true } })], { store: first });
  const taskId = await one.start('work');
  await waitForState(one, taskId, 'suspended');
  const [question] = (await one.snapshot(taskId)).suspensions;
  const accepted = one.act(taskId, { clientActionId: 'a', suspendId: question?.suspendId ?? '', actionType: 'no' });
  await accepted;
  first.kill();
  const two = await bridgeOf([inProcess({ work: { run: work, repeatable: true } })], { store: faultyStore(memory) });
  await waitForState(two, taskId, 'completed');
  expect((await two.snapshot(taskId)).result).toBe('no');
});

test('fails work that was lost and may not be repeated, as retryable', async () => {
  const memory = await openMemory();
  const first = faultyStore(memory);
  const one = await bridgeOf([inProcess({ work: () => new Promise(() => undefined) })], { store: first });
  const taskId = await one.start('work');
  await waitForState(one, taskId, 'running');
  first.kill();
  const two = await bridgeOf([inProcess({ work: () => Promise.resolve() })], { store: faultyStore(memory) });
  await waitForState(two, taskId, 'failed');
  expect((await two.snapshot(taskId)).failure).toMatchObject({ code: 'WORK_LOST', retryable: true });
});

test('appends nothing twice when replies are lost or appends fail', async () => {
  const store = faultyStore(await openMemory());
  const of = await bridgeOf(
    [
      inProcess({
        async work(task) {
          for (let step = 1; step <= 20; step++) {
            if (step % 3 === 0) store.loseReplies(2);
            if (step % 5 === 0) store.failAppends(1);
            await task.message(`step ${step}`);
          }
        },
      }),
    ],
    { store },
  );
  const taskId = await of.start('work');
  await waitForState(of, taskId, 'completed');
  const facts = await of.facts(taskId);
  expect(messages(facts)).toEqual(Array.from({ length: 20 }, (_, i) => `step ${i + 1}`));
  expect(facts.map(({ eventId }) => Number.parseInt(eventId, 10))).toEqual(facts.map((_, i) => i + 1));
});

test('lets any node of a shared store take answers and cancels for work that runs on another', async () => {
  const memory = await openMemory();
  const handlers = { work: { run: steps(0, () => undefined), repeatable: true } };
  const a = await bridgeOf([inProcess(handlers)], { store: faultyStore(memory, { shared: true }) });
  const b = await bridgeOf([inProcess(handlers)], { store: faultyStore(memory, { shared: true }) });
  const taskId = await a.start('work');
  await waitForState(b, taskId, 'suspended');
  const [question] = (await b.snapshot(taskId)).suspensions;
  const answers = Array.from({ length: 10 }, (_, i) => {
    const node = i % 2 === 0 ? a : b;
    const answer = { clientActionId: `a${i}`, suspendId: question?.suspendId ?? '', actionType: i % 3 === 0 ? 'yes' : 'no' };
    return node.act(taskId, answer);
  });
  const statuses = (await Promise.all(answers)).map(({ status }) => status);
  expect(statuses.filter((status) => status === 'ACCEPTED')).toHaveLength(1);
  expect(statuses.filter((status) => status === 'REJECTED_ALREADY_RESOLVED')).toHaveLength(9);
  await waitForState(b, taskId, 'completed');
  expect((await a.facts(taskId)).filter(({ type }) => type === 'TASK_ACTION_ACCEPTED')).toHaveLength(1);
});

test('keeps work that says nothing for longer than a lease', async () => {
  const { clock, tasks, passUntil } = sharedTime({ leaseMs: 90, reconcileMs: 15 });
  const memory = await openMemory(clock);
  let finish: () => void = () => undefined;
  let runs = 0;
  const handlers = {
    work: {
      repeatable: true,
      run: () => {
        runs++;
        return new Promise<void>((resolve) => (finish = resolve));
      },
    },
  };
  const a = await bridgeOf(inProcess(handlers), { clock, tasks, store: faultyStore(memory, { shared: true }) });
  let looks = 0;
  const counting = faultyStore(memory, { shared: true });
  await bridgeOf(inProcess(handlers), {
    clock,
    tasks,
    store: {
      ...counting,
      take: (...args) => {
        looks++;
        return counting.take(...args);
      },
    },
  });
  const taskId = await a.start('work');
  const before = looks;
  // The other node looks for lost work through many lives of a lease.
  await passUntil(() => looks - before > 40);
  finish();
  await waitForState(a, taskId, 'completed');
  expect(runs).toBe(1);
});

test('fences a node that lost its lease and goes on reporting', async () => {
  const { clock, tasks, passUntil } = sharedTime({ leaseMs: 90, reconcileMs: 30 });
  const memory = await openMemory(clock);
  const frozen = faultyStore(memory, { shared: true });
  let report: (text: string) => Promise<void> = () => Promise.resolve();
  let ended: Promise<unknown> = Promise.resolve();
  const a = await bridgeOf(
    [
      inProcess({
        work: {
          repeatable: true,
          run: (task) => {
            report = (text) => task.message(text);
            ended = new Promise((resolve) => task.signal.addEventListener('abort', resolve));
            return new Promise(() => undefined);
          },
        },
      }),
    ],
    // This node does not renew and does not know, as in a process that was stopped.
    {
      clock,
      tasks,
      store: {
        ...frozen,
        renew: async () => [{ bucket: '', outcome: 'renewed' }],
        take: async () => ({ due: [], ready: [] }),
      },
    },
  );
  const taskId = await a.start('work');
  await waitForState(a, taskId, 'running');
  const b = await bridgeOf([inProcess({ work: { run: () => Promise.resolve('by b'), repeatable: true } })], {
    clock,
    tasks,
    store: faultyStore(memory, { shared: true }),
  });
  await passUntil(async () => (await b.snapshot(taskId)).state === 'completed');
  await expect(report('too late')).rejects.toThrow();
  await ended;
  expect(messages(await b.facts(taskId))).toEqual([]);
});

test('makes one task and one run of 20 identical creates', async () => {
  let runs = 0;
  const { create } = await bridgeOf([
    inProcess({
      work: () => {
        runs++;
        return Promise.resolve(null);
      },
    }),
  ]);
  const body = { clientRequestId: 'same', taskType: 'work', input: { n: 1 } };
  const created = await Promise.all(Array.from({ length: 20 }, () => create(body)));
  expect(new Set(created.map(({ taskId }) => taskId)).size).toBe(1);
  expect(created.filter(({ deduplicated }) => !deduplicated)).toHaveLength(1);
  expect(runs).toBe(1);
});

const executorThat = (start: TaskExecutor['start']): TaskExecutor => ({
  name: 'scripted',
  leased: false,
  handles: () => true,
  repeatable: () => true,
  start,
  resume: () => Promise.resolve(),
  cancel: () => Promise.resolve(),
});

test('answers 503 for a task that the executor refuses, and 200 FAILED for a retry of its key', async () => {
  const failure = { code: 'FULL', message: 'No room.', retryable: true };
  const { create } = await bridgeOf([executorThat(() => Promise.resolve({ status: 'refused', failure }))]);
  const body = { clientRequestId: 'k', taskType: 'x' };
  const refusal = await create(body).catch((envelope: unknown) => envelope as { details: { taskId: string } });
  expect(refusal).toMatchObject({ code: 'TASK_SUBMISSION_ERROR', details: { failure } });
  const { taskId } = (refusal as { details: { taskId: string } }).details;
  expect(await create(body)).toMatchObject({ taskId, status: 'FAILED', deduplicated: true });
});

test('tries an executor that cannot be reached again, and fails the task when the time is over', async () => {
  let tries = 0;
  const flaky = executorThat(() => (++tries < 3 ? Promise.reject(new Error('unreachable')) : Promise.resolve({ status: 'started' })));
  const one = await bridgeOf([flaky]);
  await one.start('x');
  await vi.waitFor(() => expect(tries).toBe(3));

  const never = await bridgeOf([executorThat(() => Promise.reject(new Error('unreachable')))], { tasks: { startWithinMs: 60 } });
  const taskId = await never.start('x');
  await waitForState(never, taskId, 'failed');
  expect((await never.snapshot(taskId)).failure).toMatchObject({ code: 'EXECUTOR_UNREACHABLE', retryable: true });
});
