import { Redis } from 'ioredis';
import { redisStore } from 'taskbridge/adapters/redis';
import { isTerminalFact } from 'taskbridge/client/node';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { proveWhole } from '../redis/proof.ts';
import { startRedis, type RedisServer } from '../redis/redis-server.ts';
import { commitPathOn } from '../server/commit-path.ts';
import { patience } from '../support/patience.ts';
import { startHost, type HostProcess } from './host-process.ts';
import { openBuildFolder, type BuildFolder } from './release.ts';
import { isQuestion, questionOf, requestsTo, resultOf, watch, type Answer } from './wire.ts';

const STEPS = 10;
const unreadable: Partial<Answer> = { status: 503, body: expect.objectContaining({ code: 'STORE_UNAVAILABLE' }) as Answer['body'] };

// No handler of these hosts opens a part, so the test commits for one, by today's commit path.
describe('a task of 0.1.0 with a part, on one Redis with today', () => {
  let folder: BuildFolder;
  let redis: RedisServer;
  let hosts: { readonly old: HostProcess; readonly today: HostProcess };

  beforeAll(async () => {
    [folder, redis] = await Promise.all([openBuildFolder(), startRedis()]);
    const [old, today] = await Promise.all([folder.unpack('0.1.0'), folder.today()]);
    hosts = { old: await startHost(old, { redis: redis.port }), today: await startHost(today, { redis: redis.port }) };
  }, patience(180_000));
  afterAll(async () => {
    await Promise.all([hosts.old.kill(), hosts.today.kill()]);
    await redis.stop();
    await folder.clear();
  });

  it('is 503 to 0.1.0, as no other task is, is shown to who watches there, and ends with today', async () => {
    const { old, today } = hosts;
    const [a, b] = [requestsTo(old.url), requestsTo(today.url)];
    const connection = new Redis(redis.port);
    const store = redisStore(connection);
    await store.open();
    const commit = commitPathOn(store);
    const begin = async (clientRequestId: string) => {
      const { body } = await a.create({ clientRequestId, taskType: 'count', input: { to: STEPS } });
      const taskId = body.taskId ?? '';
      return { taskId, asked: await watch(old.url, taskId, { until: isQuestion }) };
    };
    const versionsOf = async (taskId: string) => {
      const { task = '', ledger = '' } = (await store.load(taskId))?.fields ?? {};
      return [task, ledger].map((text) => (JSON.parse(text) as { readonly v: number }).v);
    };
    const [own, other, stopped] = [await begin('with a part'), await begin('without'), await begin('with a part, to be cancelled')];
    const shown: string[] = [];
    const watched = watch(old.url, own.taskId, { until: (fact) => (shown.push(fact.type), isTerminalFact(fact)) });
    await vi.waitFor(() => expect(shown).toHaveLength(own.asked.length));

    expect(await commit(other.taskId, { type: 'report.message', payload: { message: 'Read.' } })).toBe('taken');
    expect(await commit(own.taskId, { type: 'report.part.opened', payload: { name: 'answer', kind: 'text' } })).toBe('taken');
    expect([await versionsOf(own.taskId), await versionsOf(other.taskId)]).toEqual([
      [2, 1],
      [1, 1],
    ]);
    await vi.waitFor(() => expect(shown.at(-1)).toBe('TASK_PART_OPENED'));
    expect((await b.get(own.taskId)).body.state).toBe('suspended');
    for (const answer of [await a.get(own.taskId), await a.poll(own.taskId), await a.cancel(own.taskId)])
      expect(answer).toMatchObject(unreadable);
    expect((await a.get(other.taskId)).body.state).toBe('suspended');

    const part = own.asked.length + 1;
    expect(await commit(own.taskId, { type: 'report.part.closed', payload: { part, bytes: 0, outcome: 'DONE' } })).toBe('taken');
    expect((await b.act(own.taskId, questionOf(own.asked), 'yes', 'one')).body.status).toBe('ACCEPTED');
    const log = await watch(today.url, own.taskId);
    proveWhole(log, STEPS);
    expect(resultOf(log)).toEqual({ counted: STEPS, attempt: 2 });
    expect(await watched).toEqual(log);
    expect(log.filter(({ type }) => type.startsWith('TASK_PART_'))).toHaveLength(2);
    // Today closes what is open before an end, whoever opened it.
    expect(await commit(stopped.taskId, { type: 'report.part.opened', payload: { name: 'answer', kind: 'text' } })).toBe('taken');
    expect(await b.cancel(stopped.taskId)).toMatchObject({ status: 202 });
    const ended = await watch(today.url, stopped.taskId);
    expect(ended.slice(-3).map(({ type }) => type)).toEqual(['TASK_PART_CLOSED', 'TASK_SUSPENSION_CLOSED', 'TASK_CANCELLED']);
    expect((await a.act(other.taskId, questionOf(other.asked), 'yes', 'one')).body.status).toBe('ACCEPTED');
    proveWhole(await watch(old.url, other.taskId), STEPS);
    await store.close();
    connection.disconnect();
  });
});
