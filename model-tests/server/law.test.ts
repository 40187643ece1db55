import { expect, test, vi } from 'vitest';
import type { InspectionEvent } from 'xstate';
import { inProcess } from '../../adapters/in-process/index.ts';
import { memoryStore } from '../../adapters/memory/index.ts';
import {
  emptyAggregate,
  fold,
  stateOf,
  storeAggregate,
  type Aggregate,
  type StoredSuspension,
  type StoredTask,
} from '../../machines/index.ts';
import type { Fact } from '../../machines/wire/index.ts';
import { systemClock, type Fields, type Store } from '../../server/index.ts';
import { bridgeOf } from './bridge-of.ts';

/** Does some of everything: progress, messages, two questions at once, a late one, a result. */
const busy = inProcess({
  async busy(task) {
    await task.progress(10, { stage: 'one' });
    const left = task.suspend('left', { reasonCode: 'LEFT', allowedActions: ['yes', 'no'], interaction: { side: 'left' } });
    const right = task.suspend('right', { reasonCode: 'RIGHT', allowedActions: ['yes', 'no'] });
    await task.message('asked twice', 'debug');
    const answers = await Promise.all([left, right]);
    const late = await task.suspend('late', { reasonCode: 'LATE', allowedActions: ['yes'], expiresInMs: 30 }).catch(() => 'nobody');
    await task.progress(90);
    return { answers: answers.map(({ actionType }) => actionType), late: late as string };
  },
});

/** Compares, at every commit, what is stored with what the log folds to. */
function watched(store: Store, onStep: (stored: object, folded: object) => void): Store {
  let folded: Aggregate = emptyAggregate;
  return {
    ...store,
    async append(commit) {
      const outcome = await store.append(commit);
      if (outcome === 'conflict') return outcome;
      for (const { bytes } of commit.facts) folded = fold(folded, JSON.parse(Buffer.from(bytes).toString()) as Fact);
      const fields: Fields = (await store.load(commit.taskId))?.fields ?? {};
      const suspensions = Object.entries(fields).filter(([name]) => name.startsWith('s:'));
      onStep(
        {
          task: JSON.parse(fields.task ?? '') as StoredTask,
          suspensions: Object.fromEntries(suspensions.map(([name, json]) => [name.slice(2), JSON.parse(json) as StoredSuspension])),
        },
        storeAggregate(folded),
      );
      return outcome;
    },
  };
}

test('stores, at every commit, what the log folds to', async () => {
  let steps = 0;
  const store = watched(memoryStore(), (stored, folded) => {
    steps++;
    expect(stored).toEqual(folded);
  });
  const of = await bridgeOf(busy, { store });
  const taskId = await of.start('busy');
  await vi.waitFor(async () => expect((await of.snapshot(taskId)).suspensions).toHaveLength(2));
  // Answered in the other order than asked.
  const [left, right] = (await of.snapshot(taskId)).suspensions;
  await of.act(taskId, { clientActionId: 'r', suspendId: right?.suspendId ?? '', actionType: 'no' });
  expect((await of.snapshot(taskId)).state).toBe('suspended');
  await of.act(taskId, { clientActionId: 'l', suspendId: left?.suspendId ?? '', actionType: 'yes' });
  await vi.waitFor(async () => expect((await of.snapshot(taskId)).state).toBe('completed'));
  expect((await of.snapshot(taskId)).result).toEqual({ answers: ['yes', 'no'], late: 'nobody' });
  expect(steps).toBeGreaterThan(6);
});

test('shows an inspector each committed fact of a task once and in order, on the actor of its chart', async () => {
  const seen: Fact[] = [];
  const asked: string[] = [];
  const inspect = (event: InspectionEvent) => {
    if (event.type !== '@xstate.event' || !/^[A-Z_]+$/.test(event.event.type)) return;
    // Only facts are in upper case.
    const fact = event.event as unknown as Fact;
    // Inspection types an actor by its session; every actor of ours has an id.
    const { id } = event.actorRef as typeof event.actorRef & { readonly id: string };
    if (id === 'task') seen.push(fact);
    else asked.push(`${id} ${fact.type}`);
  };
  const of = await bridgeOf(busy, { inspect });
  const taskId = await of.start('busy');
  const actor = await of.bridge.actor(taskId);
  await vi.waitFor(async () => expect((await of.snapshot(taskId)).suspensions).toHaveLength(2));
  for (const { suspendId } of (await of.snapshot(taskId)).suspensions)
    await of.act(taskId, { clientActionId: suspendId, suspendId, actionType: 'yes' });
  await vi.waitFor(() => expect(actor.getSnapshot().status).toBe('done'));
  const facts = await of.facts(taskId);
  expect(seen).toEqual(facts);
  expect(asked.filter((line) => line.startsWith('questions.late-'))).toHaveLength(2);
  const { context } = actor.getSnapshot();
  expect({ state: stateOf(actor.getSnapshot()), context }).toEqual({
    state: 'completed',
    context: facts.reduce<Aggregate>(fold, emptyAggregate).task.context,
  });
});

test('refuses more live actors than it may have', async () => {
  const of = await bridgeOf(inProcess({ wait: () => new Promise(() => undefined) }), { tasks: { hotTasksMax: 2 } });
  const [one = '', two = '', three = ''] = [await of.start('wait'), await of.start('wait'), await of.start('wait')];
  const [first, second] = await Promise.all([of.bridge.actor(one), of.bridge.actor(two)]);
  const pins = [first, second].map((actor) => actor.subscribe(() => undefined));
  await expect(of.bridge.actor(three)).rejects.toMatchObject({ code: 'RATE_LIMITED' });
  // One that nobody looks at gives its place away, the one that was left first.
  pins.forEach((pin) => pin.unsubscribe());
  const third = await of.bridge.actor(three);
  expect([first, second, third].map((actor) => actor.getSnapshot().status)).toEqual(['stopped', 'active', 'active']);
  [second, third].forEach((actor) => actor.subscribe(() => undefined));
  await expect(of.bridge.actor(one)).rejects.toMatchObject({ code: 'RATE_LIMITED' });
  await expect(of.bridge.actor('f'.repeat(32))).rejects.toThrow();
});

test('retires an actor that nobody subscribes to, and keeps one that somebody does', async () => {
  const minutes = new Map<number, () => void>();
  const passMinutes = () => {
    const due = [...minutes.values()];
    minutes.clear();
    due.forEach((pass) => pass());
  };
  const clock = {
    now: () => systemClock.now(),
    setTimeout: (run: () => void, ms: number) => {
      if (ms !== 60_000) return systemClock.setTimeout(run, ms);
      const id = minutes.size + Math.random();
      minutes.set(id, run);
      return id;
    },
    clearTimeout: (id: unknown) => (typeof id === 'number' ? minutes.delete(id) : systemClock.clearTimeout(id)),
  };
  const of = await bridgeOf(inProcess({ wait: () => new Promise(() => undefined) }), { clock });
  const [kept, idle] = [await of.bridge.actor(await of.start('wait')), await of.bridge.actor(await of.start('wait'))];
  const subscription = kept.subscribe(() => undefined);
  passMinutes();
  expect([kept.getSnapshot().status, idle.getSnapshot().status]).toEqual(['active', 'stopped']);
  subscription.unsubscribe();
  passMinutes();
  expect(kept.getSnapshot().status).toBe('stopped');
});
