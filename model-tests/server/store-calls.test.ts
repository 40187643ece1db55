import { expect, test } from 'vitest';
import { inProcess, type Task } from '../../adapters/in-process/index.ts';
import { createMemory, memoryStore, type Memory } from '../../adapters/memory/index.ts';
import type { Store } from '../../server/index.ts';
import type { CountChange } from '../../server/ports/index.ts';
import { ENDED_AT_HAND_MAX } from '../../server/task/command-processor.ts';
import { eventually, turns } from '../support/eventually.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { bridgeOf } from './bridge-of.ts';

const ask = { reasonCode: 'GO_ON', allowedActions: ['yes'] };

/** What a node asks its store about a task, in order: what it looks for by itself, task or no task, is left out. */
function noted(memory: Memory, clock: ReturnType<typeof fakeClock>): { store: Store; calls: string[]; held: Map<string, Promise<void>> } {
  const store = memoryStore({ memory, clock });
  const calls: string[] = [];
  /** Calls that are not answered before that. */
  const held = new Map<string, Promise<void>>();
  const own = ['create', 'load', 'sideValues', 'append', 'count'] as const;
  const notedCalls = Object.fromEntries(
    own.map((name) => [
      name,
      async (...given: never[]) => {
        // To be told what an owner has is asked now and then, of no task.
        if (name !== 'count' || isOfTask(given)) calls.push(name);
        const answer = await (store[name] as (...args: never[]) => Promise<unknown>)(...given);
        await held.get(name);
        return answer;
      },
    ]),
  );
  const tail: Store['tail'] = (listener) => {
    const opened = store.tail(listener);
    const watch = (taskId: string): Promise<void> => (calls.push('watch'), opened.watch(taskId));
    return { ...opened, watch };
  };
  return { store: { ...store, ...notedCalls, tail }, calls, held };
}

function isOfTask([changes]: readonly unknown[]): boolean {
  return (changes as readonly CountChange[]).some(({ by }) => Object.keys(by).length > 0);
}

/** A node whose handler does nothing until it is told to. */
async function nodeWithTask() {
  const [memory, clock] = [createMemory(), fakeClock()];
  const one = noted(memory, clock);
  const tasks: Task[] = [];
  let end = (): void => undefined;
  const work = (task: Task): Promise<void> => new Promise((resolve) => (tasks.push(task), (end = resolve)));
  const node = await bridgeOf(inProcess({ work, once: async () => 'done' }, { clock }), { store: one.store, clock });
  const create = (taskType: string) => node.create({ clientRequestId: taskType, taskType });
  return { ...one, memory, clock, node, create, tasks, end: () => end() };
}

test('a task whose handler returns at once costs a create, two commits and a count of what its owner has', async () => {
  const { create, calls, memory } = await nodeWithTask();
  const { taskId } = await create('once');
  await eventually(() => memory.tasks.get(taskId)?.state === 'completed');
  await turns(8);
  expect(calls).toEqual(['create', 'append', 'append', 'count']);
});

test('a node reads a task again when it begins to listen, and nothing of what it then commits itself', async () => {
  const { create, calls, clock, tasks, end, memory } = await nodeWithTask();
  const { taskId } = await create('work');
  await turns(8);
  expect(calls.splice(0)).toEqual(['create', 'append']);
  for (let look = 0; look < 3; look += 1) {
    clock.advance(100);
    await turns(8);
  }
  expect(calls.splice(0)).toEqual(['watch', 'load']);
  for (const percent of [10, 20]) {
    await tasks[0]?.progress(percent);
    await turns(8);
  }
  end();
  await eventually(() => memory.tasks.get(taskId)?.state === 'completed');
  await turns(8);
  expect(calls).toEqual(['append', 'append', 'append', 'count']);
});

test('a commit of its own that the tail tells of before the store has answered is no news', async () => {
  const { create, calls, clock, tasks, held } = await nodeWithTask();
  await create('work');
  for (let look = 0; look < 3; look += 1) {
    clock.advance(100);
    await turns(8);
  }
  calls.length = 0;
  let answer = (): void => undefined;
  held.set('append', new Promise((resolve) => (answer = resolve)));
  const reported = tasks[0]?.progress(10);
  await turns(8);
  answer();
  await reported;
  await turns(8);
  expect(calls).toEqual(['append']);
});

test('whose a task is, polls ask once; of one that is gone they hear', async () => {
  const { create, clock, memory } = await nodeWithTask();
  const { taskId } = await create('once');
  await eventually(() => memory.tasks.get(taskId)?.state === 'completed');
  const two = noted(memory, clock);
  const other = await bridgeOf(inProcess({}), { store: two.store, clock });
  const poll = (subject: string) => other.bridge.tasks({ subject }).poll(taskId);
  for (let looks = 0; looks < 3; looks += 1) expect((await poll('alice')).terminal).toBe(true);
  expect(two.calls).toEqual(['load']);
  await expect(poll('mallory')).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
  memory.tasks.delete(taskId);
  await expect(poll('alice')).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
});

test.each([
  ['before it listens', 0],
  ['when it listens', 3],
])('a cancel that another node takes reaches the work, %s', async (_, looks) => {
  const { create, clock, memory, tasks } = await nodeWithTask();
  const { taskId } = await create('work');
  await turns(8);
  const advance = async (times: number): Promise<void> => {
    for (let look = 0; look < times; look += 1) {
      clock.advance(100);
      await turns(8);
    }
  };
  await advance(looks);
  const two = await bridgeOf(inProcess({}), { store: memoryStore({ memory, clock }), clock });
  await two.cancel(taskId);
  await advance(3 - looks);
  await eventually(() => tasks[0]?.signal.aborted === true);
});

test('who answers or cancels has a task read once that is not at hand, and not at all one that is', async () => {
  const { node, calls, clock, memory } = await nodeWithTask();
  const one = node.bridge.tasks({ subject: 'alice' });
  const begin = (clientRequestId: string) => one.start({ clientRequestId, taskType: 'work' });
  const [first, second] = [await begin('first'), await begin('second')];
  await turns(8);
  calls.splice(0);
  await one.cancel(first.taskId);
  expect(calls[0]).toBe('append');

  const two = noted(memory, clock);
  const handlers = { ask: (task: Task) => task.suspend('go-on', ask).then(() => ({})) };
  const tasks = (await bridgeOf(inProcess(handlers), { store: two.store, clock })).bridge.tasks({ subject: 'alice' });
  await tasks.cancel(second.taskId);
  expect(two.calls.slice(0, 2)).toEqual(['load', 'append']);
  const { taskId } = await tasks.start({ clientRequestId: 'ask', taskType: 'ask' });
  await eventually(() => memory.tasks.get(taskId)?.state === 'suspended');
  await turns(8);
  const [question] = (await tasks.get(taskId)).suspensions;
  two.calls.splice(0);
  await tasks.act(taskId, { clientActionId: 'an-answer', suspendId: question?.suspendId ?? '', actionType: 'yes' });
  expect(two.calls.slice(0, 3)).toEqual(['load', 'sideValues', 'append']);
});

test('of tasks that have ended a node keeps those at hand that ended last', async () => {
  const store = memoryStore();
  let loads = 0;
  const load: Store['load'] = (taskId) => ((loads += 1), store.load(taskId));
  const { bridge } = await bridgeOf(inProcess({ once: async () => 'done' }), { store: { ...store, load } });
  const tasks = bridge.tasks({ subject: 'alice' });
  const isOver = async (taskId: string) => (await tasks.get(taskId)).state === 'completed';
  const first = await tasks.start({ clientRequestId: 'first', taskType: 'once' });
  await eventually(() => isOver(first.taskId));
  const others: string[] = [];
  for (let n = 0; n < ENDED_AT_HAND_MAX; n += 1) {
    const { taskId } = await tasks.start({ clientRequestId: `other-${n}`, taskType: 'once' });
    await eventually(() => isOver(taskId));
    others.push(taskId);
  }
  await turns(8);
  loads = 0;
  for (const taskId of others) expect(await isOver(taskId)).toBe(true);
  expect(loads).toBe(0);
  expect(await isOver(first.taskId)).toBe(true);
  expect(loads).toBe(1);
});
