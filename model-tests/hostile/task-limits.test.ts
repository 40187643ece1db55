import { createMemory, memoryStore } from 'taskbridge/adapters/memory';
import type { Fact } from 'taskbridge/wire';
import { systemChance, systemClock, taskDefaults, type Store, type TaskExecutor, type TaskSettings, type Work } from 'taskbridge/server';
import { expect, onTestFinished, vi } from 'vitest';
import type { Task } from 'taskbridge/adapters/in-process';
import { createTaskReporter } from 'taskbridge/server/reporter';
import { createTestBridge } from 'taskbridge/server/testing';
import { giveUp } from '../../server/attempt/giving-up.ts';
import { CommandProcessor } from '../../server/task/command-processor.ts';
import { stateOf as stateOfTask } from '../../machines/index.ts';
import type { TaskRecord } from '../../server/task/task-record.ts';
import { storeClock } from '../../server/task/store-clock.ts';
import { taskSettings } from '../../server/task/settings.ts';
import { fakeClock, type FakeClock } from '../support/fake-clock.ts';
import { quiesce } from '../live/hub-fixture.ts';
import { bridgeOf, type RunningBridge } from '../server/bridge-of.ts';
import { answerOf, atLast, most, testBoundaries } from './boundaries.ts';
import { heldTasks } from './held-tasks.ts';
import { copying } from './retry-copy.ts';

/** How often due tasks are looked for here; other times are whole numbers of it. */
const LOOK_MS = 100;
const times = { reconcileMs: LOOK_MS, leaseMs: 3000, effectRetryMs: 1000, executorTimeoutMs: 700, cancelGraceMs: 1000, inspectMs: 1000 };

interface TimedWorld extends RunningBridge {
  readonly clock: FakeClock;
  /** Lets that much time pass, look by look. */
  pass(ms: number): Promise<void>;
}

/** A bridge whose time is the test's. */
async function timed(executor: TaskExecutor, tasks: Partial<TaskSettings> = {}, given?: Store, own?: FakeClock): Promise<TimedWorld> {
  const clock = own ?? fakeClock();
  const store = given ?? memoryStore({ clock });
  const bridge = await bridgeOf(executor, { store, clock, tasks: { ...times, ...tasks } });
  return {
    ...bridge,
    clock,
    async pass(ms) {
      for (let left = ms; left > 0; left -= LOOK_MS) {
        clock.advance(Math.min(left, LOOK_MS));
        await quiesce();
      }
    },
  };
}

/** An executor that says what it is told to say. */
function scripted(verbs: Partial<TaskExecutor>): TaskExecutor {
  return {
    name: 'scripted',
    leased: true,
    handles: () => true,
    repeatable: () => true,
    start: () => Promise.resolve({ status: 'started' }),
    resume: () => Promise.resolve(),
    cancel: () => Promise.resolve(),
    ...verbs,
  };
}

const stateOf = (bridge: RunningBridge, taskId: string) =>
  bridge.snapshot(taskId).then(
    ({ state }) => state,
    ({ code }: { code: string }) => code,
  );

testBoundaries('the limits of tasks', taskDefaults, {
  retainedFactsMax: {
    limit: 10,
    answers: ['1 to 9', '1 to 10', '2 to 11'],
    async open() {
      const held = heldTasks();
      const bridge = await bridgeOf(held.executor, { tasks: { retainedFactsMax: 10 } });
      return async (amount) => {
        const taskId = await bridge.start('hold');
        const task = await held.of(taskId);
        for (let fact = 2; fact <= amount; fact += 1) await task.message(`${fact}`);
        const kept = (await bridge.facts(taskId)).map(({ eventId }: Fact) => Number.parseInt(eventId, 10));
        return `${kept[0]} to ${kept.at(-1)}`;
      };
    },
  },
  retainedAfterEndMs: atLast(2000, 'completed', 'TASK_NOT_FOUND', () => async (amount: number) => {
    const held = heldTasks();
    const world = await timed(held.executor, { retainedAfterEndMs: 2000 });
    const taskId = await world.start('hold');
    await held.of(taskId);
    held.end(taskId);
    await vi.waitUntil(async () => (await stateOf(world, taskId)) === 'completed');
    await world.pass(amount);
    return stateOf(world, taskId);
  }),
  startWithinMs: atLast(5000, 'accepted', 'failed', () => async (amount: number) => {
    const world = await timed(scripted({ start: () => Promise.reject(new Error('nobody there')) }), { startWithinMs: 5000 });
    const taskId = await world.start('any');
    await world.pass(amount);
    return stateOf(world, taskId);
  }),
  // Below what a create waits for a start at most.
  executorTimeoutMs: atLast(400, 'still asks', 'answered', () => async (amount: number) => {
    let asked = (): void => undefined;
    const started = new Promise<void>((resolve) => (asked = resolve));
    let starts = 0;
    const start: TaskExecutor['start'] = () => {
      asked();
      return (starts += 1) === 1 ? new Promise(() => undefined) : Promise.resolve({ status: 'started' });
    };
    const world = await timed(scripted({ start }), { executorTimeoutMs: 400 });
    let answered = false;
    void world.start('any').then(() => (answered = true));
    await started;
    world.clock.advance(amount);
    // Whatever the create has to say is said within one round trip of another request.
    await fetch(`${world.url}/health`);
    if (!answered) await quiesce();
    await fetch(`${world.url}/health`);
    const seen = answered ? 'answered' : 'still asks';
    world.clock.advance(10_000);
    return seen;
  }),
  effectRetryMs: atLast(1000, 1, 2, () => async (amount: number) => {
    let starts = 0;
    const world = await timed(scripted({ start: () => ((starts += 1), Promise.reject(new Error('nobody there'))) }));
    await world.start('any');
    await world.pass(amount);
    return starts;
  }),
  cancelGraceMs: atLast(1000, 'cancelling', 'cancelled', () => async (amount: number) => {
    const clock = fakeClock();
    const store = memoryStore({ clock, memory: createMemory() });
    const world = await timed(scripted({}), {}, store, clock);
    const taskId = await world.start('any');
    await reporterOf(world.store).report(
      { taskId, attempt: 1 },
      { source: 'main', seq: 1, intents: [{ type: 'report.started', payload: {} }] },
    );
    await world.cancel(taskId);
    await world.pass(amount);
    return stateOf(world, taskId);
  }),
  leaseMs: atLast(3000, 0, 1, () => async (amount: number) => {
    const clock = fakeClock();
    const memory = createMemory();
    const [storeOfDead, storeOfHeir] = [memoryStore({ clock, memory }), memoryStore({ clock, memory })];
    // This node's clock stands still: as if it were frozen.
    const dead = await timed(scripted({}), {}, storeOfDead, fakeClock(clock.now()));
    await dead.start('any');
    let starts = 0;
    const heir = await timed(scripted({ start: () => ((starts += 1), Promise.resolve({ status: 'started' })) }), {}, storeOfHeir, clock);
    // Its first look at the leases is in a later turn; from then on it is counted.
    await quiesce();
    await heir.pass(amount);
    // Given up, found, claimed, started: each in a turn of its own.
    for (let turns = 0; turns < 4; turns += 1) await quiesce();
    return starts;
  }),
  crashesMax: {
    limit: 3,
    answers: ['running', 'failed', 'failed'],
    open: () => async (amount: number) => {
      const { store, taskId } = await written();
      const logger = { warn: () => undefined, error: () => undefined };
      const deps = { processor: processorOn(store, {}), executors: [scripted({})], settings: taskSettings({ crashesMax: 3 }), logger };
      for (let crashes = 0; crashes < amount; crashes += 1) {
        await deps.processor.execute(taskId, {
          decide(unit) {
            unit.record({ type: 'attempt.claimed', node: 'n', startBy: 1 });
            unit.record({ type: 'attempt.begun' });
            unit.decide({ type: 'report.started', payload: {} });
          },
        });
        await giveUp(taskId, deps, { of: {}, crashed: true });
      }
      return publicStateOf(await deps.processor.read(taskId));
    },
  },
  executorCallsMax: {
    limit: 3,
    answers: [2, 3, 3],
    open: () => async (amount: number) => {
      let asked = 0;
      let hangUp: () => void = () => undefined;
      const silence = new Promise<never>((_, reject) => (hangUp = () => reject(new Error('The line is dead.'))));
      silence.catch(() => undefined);
      const world = await timed(scripted({ leased: false, inspect: () => ((asked += 1), silence) }), { executorCallsMax: 3 });
      onTestFinished(() => hangUp());
      for (let started = 0; started < amount; started += 1) await world.start('any');
      await world.pass(1200);
      return asked;
    },
  },
  inspectMs: atLast(1000, 0, 1, () => async (amount: number) => {
    let asked = 0;
    const inspect = () => ((asked += 1), Promise.resolve({ status: 'running' } as const));
    const world = await timed(scripted({ leased: false, inspect }));
    await world.start('any');
    await world.pass(amount);
    return asked;
  }),
  readyAgainMs: atLast(3000, 503, 200, () => async (amount: number) => {
    const clock = fakeClock();
    const full = () => Promise.reject(new Error('No space left.'));
    const world = await timed(scripted({}), { readyAgainMs: 3000 }, { ...memoryStore({ clock }), create: full }, clock);
    await expect(world.start('any')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    clock.advance(amount);
    return (await fetch(`${world.url}/ready`)).status;
  }),
  reconcileMs: atLast(LOOK_MS, 0, 1, () => async (amount: number) => {
    const clock = fakeClock();
    const store = memoryStore({ clock });
    let looks = 0;
    const take: Store['take'] = (request) => ((looks += 1), store.take(request));
    await timed(scripted({}), {}, { ...store, take }, clock);
    // The first look is in a later turn.
    await quiesce();
    const before = looks;
    clock.advance(amount);
    await quiesce();
    return looks - before;
  }),
  hotTasksMax: most(3, 'runs', 'RATE_LIMITED', async () => {
    const held = heldTasks();
    const { bridge, start } = await bridgeOf(held.executor, { tasks: { hotTasksMax: 3 } });
    let open = 0;
    const next = async () => {
      const actor = await bridge.actor(await start('hold')).catch((error: { code: string }) => error.code);
      // One that nobody listens to would give its place away.
      if (typeof actor !== 'string') actor.subscribe(() => undefined);
      open += 1;
      return typeof actor === 'string' ? actor : 'runs';
    };
    return async (amount) => {
      while (open < amount - 1) await next();
      return next();
    };
  }),
  waitingIntentsMax: most(10, 'all taken', '1 RATE_LIMITED', async () => {
    const store = memoryStore({ memory: createMemory() });
    const bridge = await bridgeOf(scripted({}), { store });
    const reporter = reporterOf(store, { waitingIntentsMax: 10 });
    const attempt = { taskId: await bridge.start('any'), attempt: 1 };
    return async (amount) => {
      const said = await Promise.all(
        Array.from({ length: amount }, () =>
          reporter.report(attempt, { source: 'main', seq: 1, intents: [] }).then(
            () => 'taken',
            ({ code }: { code: string }) => code,
          ),
        ),
      );
      const refused = said.filter((one) => one !== 'taken');
      return refused.length === 0 ? 'all taken' : `${refused.length} ${refused[0]}`;
    };
  }),
  appendFactsMax: {
    limit: 8,
    answers: [[7], [8], [8, 1]],
    async open() {
      const { store, appended, taskId } = await written();
      const processor = processorOn(store, { appendFactsMax: 8 });
      await processor.execute(taskId, { decide: (unit) => unit.decide({ type: 'report.started', payload: {} }) });
      return async (amount) => {
        appended.length = 0;
        const say = () =>
          processor.execute(taskId, { decide: (unit) => unit.decide({ type: 'report.message', payload: { message: 'x' } }) });
        await Promise.all(Array.from({ length: amount }, say));
        return [...appended];
      };
    },
  },
  factBytesMax: most(1000, 'taken', 'PAYLOAD_TOO_LARGE', async () => {
    const { store, taskId } = await written();
    const processor = processorOn(store, { factBytesMax: 1000 });
    const say = (message: string) =>
      processor.execute(taskId, { decide: (unit) => unit.decide({ type: 'report.message', payload: { message } }) });
    await processor.execute(taskId, { decide: (unit) => unit.decide({ type: 'report.started', payload: {} }) });
    return async (amount) => {
      await say('');
      const page = await store.read(taskId, 1, { facts: 100, bytes: 1e6 });
      const overhead = page?.entries.at(-1)?.bytes.byteLength ?? 0;
      return say('x'.repeat(amount - overhead)).then(
        () => 'taken',
        ({ code }: { code: string }) => code,
      );
    };
  }),
  activePerOwnerMax: most(3, 'all begin', '3 begin', () => async (amount: number) => {
    let starts = 0;
    const start: TaskExecutor['start'] = () => ((starts += 1), Promise.resolve({ status: 'started' }));
    const world = await timed(scripted({ start }), { activePerOwnerMax: 3 });
    for (let created = 0; created < amount; created += 1) await world.start('any');
    await world.pass(1000);
    return starts === amount ? 'all begin' : `${starts} begin`;
  }),
  waitingPerOwnerMax: most(
    3,
    'taken',
    'RATE_LIMITED waiting',
    () => async (amount: number) => lastOf(await bridgeOf(scripted({ room: () => 0 }), { tasks: { waitingPerOwnerMax: 3 } }), amount),
  ),
  questionsPerOwnerMax: most(3, 'asked', 'QUESTIONS_FULL', () => async (amount: number) => {
    const works: Work[] = [];
    const start: TaskExecutor['start'] = (work) => (works.push(work), Promise.resolve({ status: 'started' }));
    const world = await timed(scripted({ start }), { questionsPerOwnerMax: 3 });
    for (let created = 0; created < amount; created += 1) await world.start('any');
    const kind = 'USER_ACTION_REQUIRED' as const;
    const payload = { suspendId: 'q', kind, reasonCode: 'ask', schemaVersion: 1, allowedActions: ['submit'] };
    const outcomes = await Promise.all(
      works.map((work) => work.report({ source: 'main', seq: 1, intents: [{ type: 'report.suspended', payload }] })),
    );
    const refusals = outcomes.flatMap((outcome) => (outcome.status === 'committed' ? outcome.refusals : []));
    return refusals.find((refusal) => refusal !== undefined) ?? 'asked';
  }),
  tasksPerOwnerMax: most(
    3,
    'taken',
    'RATE_LIMITED tasks',
    () => async (amount: number) => lastOf(await bridgeOf(scripted({}), { tasks: { tasksPerOwnerMax: 3 } }), amount),
  ),
  attachmentsMax: most(2, 'made', 'PAYLOAD_TOO_LARGE', () => async (amount: number) => {
    const files = Array.from({ length: amount }, (_, nth) => `${nth}.csv`);
    return madeBy({ attachmentsMax: 2 }, async (task) => {
      for (const name of files) await task.attach(name, 'x');
    });
  }),
  attachmentBytesMax: most(
    1000,
    'made',
    'PAYLOAD_TOO_LARGE',
    () => (amount: number) => madeBy({ attachmentBytesMax: 1000 }, (task) => task.attach('a.csv', 'x'.repeat(amount))),
  ),
  copiesMax: most(3, 'taken', 'RATE_LIMITED copies', () => copying({ copiesMax: 3, copiesPerOwnerMax: 3 }, (nth) => `owner ${nth}`)),
  copiesPerOwnerMax: [
    most(2, 'taken', 'RATE_LIMITED copies', () => copying({ copiesPerOwnerMax: 2 }, () => 'ada')),
    {
      of: 'others',
      limit: 2,
      answers: ['taken', 'taken', 'taken'],
      open: () => copying({ copiesPerOwnerMax: 2 }, (nth, all) => (nth === all ? 'bob' : 'ada')),
    },
  ],
  bytesPerOwnerMax: most(1000, 'taken', 'RATE_LIMITED bytes', () => async (amount: number) => {
    const bridge = await bridgeOf(scripted({}), { tasks: { bytesPerOwnerMax: 1000 } });
    const overhead = JSON.stringify({ input: { a: '' }, metadata: {}, attachments: [] }).length;
    return answerOf(bridge.start('any', { a: 'x'.repeat(amount - overhead) }));
  }),
});

/** `made` where work may attach what it does, or why not. */
async function madeBy(tasks: Partial<TaskSettings>, work: (task: Task) => Promise<void>): Promise<string> {
  const test = await createTestBridge({
    tasks,
    work: {
      make: (task) =>
        work(task).then(
          () => 'made',
          ({ code }: { code: string }) => code,
        ),
    },
  });
  onTestFinished(test.close);
  const { taskId } = await test.bridge.system.tasks('ada').start({ clientRequestId: 'r', taskType: 'make' });
  return String((await test.ended('ada', taskId)).result);
}

/** What a create of so many tasks of one owner is answered last. */
const lastOf = async (bridge: RunningBridge, amount: number): Promise<unknown> => {
  for (let created = 1; created < amount; created += 1) await bridge.start('any');
  return answerOf(bridge.start('any'));
};

function publicStateOf({ aggregate }: TaskRecord): string {
  return stateOfTask(aggregate.task);
}

/** A task that nobody works on, in a store that counts the facts of each append. */
async function written() {
  const inner = memoryStore();
  const appended: number[] = [];
  const append: Store['append'] = (commit) => (appended.push(commit.facts.length), inner.append(commit));
  const store: Store = { ...inner, append };
  const bridge = await bridgeOf(scripted({}), { store });
  return { store, appended, taskId: await bridge.start('any') };
}

function processorOn(store: Store, tasks: Partial<TaskSettings>): CommandProcessor {
  const time = storeClock(store, systemClock);
  return new CommandProcessor({ store, clock: systemClock, time, chance: systemChance, logger: console, settings: taskSettings(tasks) });
}

function reporterOf(store: Store, tasks: Partial<TaskSettings> = {}) {
  return createTaskReporter({ store, tasks });
}
