import { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { inProcess, type Task } from '../../adapters/in-process/index.ts';
import { memoryStore } from '../../adapters/memory/index.ts';
import { redisStore } from '../../adapters/redis/index.ts';
import { createTaskBridge, type Store } from '../../server/index.ts';
import { startRedis } from '../redis/redis-server.ts';
import { patience } from '../support/patience.ts';

const auth = { subject: 'ada' };
const quiet = { warn: () => undefined, error: () => undefined };

/** A bridge whose store tells how often it was asked for more than a task. */
async function bridgeOn(open: Store) {
  let reads = 0;
  const store: Store = {
    ...open,
    sideValues(taskId, names) {
      reads += 1;
      return open.sideValues(taskId, names);
    },
  };
  let given: Task | undefined;
  const executor = inProcess({
    wait: (task) => {
      given = task;
      return new Promise(() => undefined);
    },
  });
  const bridge = createTaskBridge({ store, executor, auth: () => auth, logger: quiet });
  onTestFinished(() => bridge.close());
  await bridge.start();
  const { taskId } = await bridge.tasks(auth).start({ clientRequestId: 'one', taskType: 'wait', input: { text: 'büro' } });
  const task = await vi.waitFor(() => given ?? Promise.reject(new Error('The handler has no task yet.')), patience(5000));
  return { bridge, taskId, task, reads: () => reads };
}

const stores: [string, () => Promise<Store>][] = [
  ['memory', () => Promise.resolve(memoryStore())],
  [
    'Redis',
    async () => {
      const server = await startRedis('--appendonly', 'no');
      const client = new Redis(server.port);
      onTestFinished(async () => {
        client.disconnect();
        await server.stop();
      });
      return redisStore(client);
    },
  ],
];

describe.each(stores)('on %s', (_name, open) => {
  test('a snapshot of a task that has not changed is made once, and made anew after each commit', async () => {
    const { bridge, taskId, task, reads } = await bridgeOn(await open());
    const tasks = bridge.tasks(auth);
    await task.progress(10);
    const first = await tasks.get(taskId);
    expect(first).toMatchObject({ progress: { progress: 10 }, input: { text: 'büro' } });
    const before = reads();
    expect(await tasks.get(taskId)).toEqual(first);
    expect(reads()).toBe(before);
    await task.progress(20);
    const second = await tasks.get(taskId);
    expect(second.progress).toEqual({ progress: 20 });
    expect(reads()).toBe(before + 1);
    await expect(bridge.tasks({ subject: 'eve' }).get(taskId)).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
  });

  test('a task with parts is looked at each time: their text grows without a commit', async () => {
    const { bridge, taskId, task, reads } = await bridgeOn(await open());
    const part = task.stream('answer', { kind: 'text' } as never);
    void part.write('one');
    const textOf = async () => (await bridge.tasks(auth).get(taskId)).parts?.[0]?.text;
    await vi.waitFor(async () => expect(await textOf()).toBe('one'), patience(5000));
    void part.write(' two');
    await vi.waitFor(async () => expect(await textOf()).toBe('one two'), patience(5000));
    expect(reads()).toBeGreaterThan(2);
  });
});
