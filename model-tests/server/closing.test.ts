import { expect, test, vi } from 'vitest';
import { inProcess } from '../../adapters/in-process/index.ts';
import { createMemory, memoryStore } from '../../adapters/memory/index.ts';
import { createTaskBridge, type Store, type TaskExecutor } from '../../server/index.ts';
import { quiesce } from '../live/hub-fixture.ts';
import { eventually } from '../support/eventually.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { bridgeOf } from './bridge-of.ts';

/** A store that outlives its bridge, as a folder does. */
async function lasting(store: Store = memoryStore()): Promise<Store> {
  await store.open();
  return { ...store, open: () => Promise.resolve(), close: () => Promise.resolve() };
}

/** Work that goes on until it is let go, or told to stop. */
function holding() {
  let letGo: () => void = () => undefined;
  const open = new Promise<void>((resolve) => (letGo = resolve));
  const runs: string[] = [];
  return {
    runs,
    letGo: () => letGo(),
    handler: async (task: { readonly taskId: string; readonly signal: AbortSignal }) => {
      runs.push(task.taskId);
      const stopped = new Promise<never>((_, reject) => task.signal.addEventListener('abort', () => reject(task.signal.reason as Error)));
      await Promise.race([open, stopped]);
      return 'done';
    },
  };
}

test('loses nothing that never began: of two tasks with one place, the second is run after a close and an open', async () => {
  const store = await lasting();
  const work = holding();
  const one = await bridgeOf(inProcess({ work: work.handler }, { concurrencyMax: 1 }), { store });
  const [begun, waiting] = [await one.start('work'), await one.start('work')];
  await eventually(async () => (await one.snapshot(begun)).state === 'running');
  expect(work.runs).toEqual([begun]);
  await one.bridge.close();
  const two = await bridgeOf(inProcess({ work: async () => 'after the close' }, { concurrencyMax: 1 }), { store });
  await eventually(async () => (await two.snapshot(waiting)).state === 'completed');
  expect((await two.snapshot(waiting)).result).toBe('after the close');
  // What had begun and may not be repeated is the only one that is lost.
  expect((await two.snapshot(begun)).failure).toMatchObject({ code: 'WORK_LOST' });
});

test('works off a queue behind one place without waiting for the next look', async () => {
  const of = await bridgeOf(inProcess({ work: async () => null }, { concurrencyMax: 1 }), {
    tasks: { reconcileMs: 60_000, leaseMs: 200_000 },
  });
  const ids = await Promise.all(Array.from({ length: 50 }, () => of.start('work')));
  await eventually(async () => (await Promise.all(ids.map((id) => of.snapshot(id)))).every(({ state }) => state === 'completed'));
});

test('says that it is not ready, and refuses creates where nobody else could take them, from the beginning of its close', async () => {
  const work = holding();
  const of = await bridgeOf(inProcess({ work: work.handler }));
  const running = await of.start('work');
  await eventually(() => work.runs.length === 1);
  expect((await fetch(`${of.url}/ready`)).status).toBe(200);
  const closing = of.bridge.close({ drainMs: 60_000 });
  const ready = await fetch(`${of.url}/ready`);
  expect(ready.status).toBe(503);
  expect(await ready.json()).toMatchObject({ details: { store: { reason: 'closing' } } });
  const refused = await fetch(`${of.url}/api/v1/tasks`, {
    method: 'POST',
    headers: { authorization: 'alice', 'content-type': 'application/json' },
    body: JSON.stringify({ clientRequestId: 'late', taskType: 'work', input: {} }),
  });
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
  work.letGo();
  await closing;
  expect(work.runs).toEqual([running]);
});

test('leaves to other nodes what is created while it closes, and claims nothing of theirs', async () => {
  const memory = createMemory();
  const work = holding();
  const one = await bridgeOf(inProcess({ work: work.handler }), { store: memoryStore({ memory }) });
  await one.start('work');
  await eventually(() => work.runs.length === 1);
  const closing = one.bridge.close({ drainMs: 60_000 });
  const created = await one.start('work');
  const looked = vi.spyOn(one.store, 'take');
  await eventually(() => looked.mock.calls.length > 2);
  expect(looked.mock.calls.map(([{ readyMax }]) => readyMax)).toEqual(looked.mock.calls.map(() => 0));
  const two = await bridgeOf(inProcess({ work: async () => 'by the other' }), { store: memoryStore({ memory }) });
  await eventually(async () => (await two.snapshot(created)).state === 'completed');
  expect((await two.snapshot(created)).result).toBe('by the other');
  work.letGo();
  await closing;
  expect(work.runs).toHaveLength(1);
});

test('is silent about runs that it gave up and had no turn left to tell: they are told by the close of their executor', async () => {
  const lines: string[] = [];
  const logger = { warn: (line: string) => void lines.push(line), error: (line: string) => void lines.push(line) };
  const stopped: unknown[] = [];
  const until = (task: { readonly signal: AbortSignal }) =>
    new Promise<never>((_, reject) =>
      task.signal.addEventListener('abort', () => {
        stopped.push(task);
        reject(task.signal.reason as Error);
      }),
    );
  const of = await bridgeOf(inProcess({ work: { repeatable: true, run: until } }), { logger, tasks: { executorCallsMax: 1 } });
  const ids = await Promise.all([of.start('work'), of.start('work'), of.start('work')]);
  await eventually(async () => (await Promise.all(ids.map((id) => of.snapshot(id)))).every(({ state }) => state === 'running'));
  await of.bridge.close();
  expect(stopped).toHaveLength(3);
  expect(lines).toEqual(['This node closes while work runs; it was given up.']);
});

test('leaves no lease behind that others would have to wait for', async () => {
  const memory = createMemory();
  const of = await bridgeOf(inProcess({ work: async () => null }), { store: memoryStore({ memory }) });
  await of.start('work');
  await eventually(() => [...memory.leases.values()].some((beat) => beat > 0));
  await of.bridge.close();
  expect([...memory.leases]).toEqual([]);
});

test('resolves its start before it takes up what an earlier process left: poison cannot keep a host from listening', async () => {
  const store = await lasting();
  const first = await bridgeOf(inProcess({ work: { repeatable: true, run: () => new Promise(() => undefined) } }), { store });
  const taskId = await first.start('work');
  await eventually(async () => (await first.snapshot(taskId)).state === 'running');
  // As after a crash: nothing is given up.
  const dead: Store = { ...store };
  const taken = vi.spyOn(dead, 'leases');
  const looked = vi.spyOn(dead, 'take');
  const bridge = createTaskBridge({
    store: dead,
    executor: inProcess({ work: { repeatable: true, run: () => new Promise(() => undefined) } }),
    auth: () => undefined,
    logger: { warn: () => undefined, error: () => undefined },
  });
  await bridge.start();
  expect([taken.mock.calls.length, looked.mock.calls.length]).toEqual([0, 0]);
  await eventually(() => taken.mock.calls.length > 0 && looked.mock.calls.length > 0);
  await bridge.close();
});

test('tells what it lets end, what it puts back and what it gives up', async () => {
  const work = holding();
  const said: [string, unknown][] = [];
  const say = (message: string, fields?: unknown): void => void said.push([message, fields]);
  const waits: TaskExecutor = {
    ...inProcess({ waits: work.handler }),
    name: 'claimed and not begun',
    // Says that it has it, and never begins.
    start: () => Promise.resolve({ status: 'started' }),
  };
  const of = await bridgeOf([inProcess({ once: work.handler }), waits], { logger: { warn: say, error: say, info: say } });
  const [running] = [await of.start('once'), await of.start('waits')];
  await eventually(() => work.runs.length === 1);
  said.length = 0;
  await of.bridge.close({ drainMs: 1 });
  const told = (text: string) => said.filter(([message]) => message.includes(text)).map(([, fields]) => fields);
  expect(told('claims nothing any more')).toMatchObject([{ running: 1, putBack: 1 }]);
  expect(told('closes while work runs')).toMatchObject([{ tasks: 1, taskIds: [running] }]);
  expect(told('may not be repeated')).toMatchObject([{ taskId: running, code: 'WORK_LOST' }]);
});

test('waits five seconds for a store that answers nothing, and not once for each thing that it has to tell it', async () => {
  const memory = await lasting(memoryStore({ memory: createMemory() }));
  let isSilent = false;
  let asked = 0;
  const store = new Proxy(memory, {
    get(of, name: keyof Store) {
      const verb = of[name];
      // To follow the log is not asked, and has no answer.
      if (typeof verb !== 'function' || name === 'close' || name === 'tail') return verb;
      return (...about: never[]) => {
        if (!isSilent) return (verb as (...about: never[]) => unknown)(...about);
        asked += 1;
        // As a client whose commands have a limit of four seconds.
        return new Promise((_, reject) => clock.setTimeout(() => reject(new Error('No answer.')), 4000));
      };
    },
  });
  const clock = fakeClock();
  const work = holding();
  const warn = vi.fn();
  const of = await bridgeOf(inProcess({ work: work.handler }), { store, clock, logger: { warn, error: () => undefined } });
  for (let tasks = 0; tasks < 3; tasks += 1) await of.start('work');
  await eventually(() => work.runs.length === 3);
  isSilent = true;
  let isClosed = false;
  const from = clock.now();
  const closing = of.bridge.close({ drainMs: 1000 }).then(() => (isClosed = true));
  while (!isClosed && clock.now() - from < 60_000) {
    clock.advance(100);
    await quiesce();
  }
  await closing;
  expect(asked).toBeGreaterThan(0);
  expect(clock.now() - from).toBeLessThanOrEqual(6200);
  expect(warn).toHaveBeenCalledWith(expect.stringContaining('closes though the store does not answer'), expect.anything());
});
