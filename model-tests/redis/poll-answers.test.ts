import { createServer } from 'node:http';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test, vi } from 'vitest';
import { inProcess, type Task } from '../../adapters/in-process/index.ts';
import { redisStore } from '../../adapters/redis/index.ts';
import type { Fact, PollResponse } from '../../machines/wire/index.ts';
import { createTaskBridge } from '../../server/index.ts';
import { onLoopback } from '../support/loopback.ts';
import { patience } from '../support/patience.ts';
import { startRedis } from './redis-server.ts';

test('a poll that is sent again is answered the same until something is committed, and by nobody’s credentials but its own', async () => {
  const redisServer = await startRedis('--appendonly', 'no');
  const client = new Redis(redisServer.port);
  let task: Task | undefined;
  const bridge = createTaskBridge({
    store: redisStore(client),
    executor: inProcess({
      wait: (given) => {
        task = given;
        return new Promise(() => undefined);
      },
    }),
    auth: ({ headers }) => ({ subject: headers.authorization ?? '' }),
    logger: { warn: () => undefined, error: () => undefined },
  });
  const server = createServer(bridge.handler());
  const { url } = await onLoopback(server);
  onTestFinished(async () => {
    server.close();
    await bridge.close();
    client.disconnect();
    await redisServer.stop();
  });
  await bridge.start();
  const { taskId } = await bridge.tasks({ subject: 'ada' }).start({ clientRequestId: 'one', taskType: 'wait' });
  await vi.waitFor(() => expect(task).toBeDefined(), patience(5000));
  const poll = async (query: string, authorization = 'ada'): Promise<PollResponse<Fact>> => {
    const response = await fetch(`${url}/api/v1/tasks/${taskId}/events?${query}`, { headers: { authorization } });
    expect(response.headers.get('content-length')).not.toBeNull();
    return (await response.json()) as PollResponse<Fact>;
  };

  await task?.progress(10);
  const whole = await poll('waitTimeoutMs=0');
  expect(whole).toMatchObject({ events: [{ type: 'TASK_STARTED' }, { type: 'TASK_PROGRESS' }] });
  const last = `waitTimeoutMs=0&afterEventId=${whole.nextAfterEventId}`;
  for (let times = 0; times < 3; times += 1) {
    expect(await poll('waitTimeoutMs=0')).toEqual(whole);
    expect(await poll(last)).toMatchObject({ events: [], nextAfterEventId: whole.nextAfterEventId, hasMore: false });
    // One fact of the same log: the same cursor, another page.
    expect(await poll('waitTimeoutMs=0&maxEvents=1')).toMatchObject({ hasMore: true, nextAfterEventId: whole.events[0]?.eventId });
  }
  const own = await bridge.tasks({ subject: 'ada' }).poll(taskId);
  expect(own).toEqual({ ...whole, events: own.events });
  expect(await poll(last, 'eve')).toMatchObject({ code: 'TASK_NOT_FOUND' });
  await task?.progress(20);
  expect(await poll(last)).toMatchObject({ events: [{ payload: { progress: 20 } }] });
  expect((await poll('waitTimeoutMs=0')).events).toHaveLength(3);
});
