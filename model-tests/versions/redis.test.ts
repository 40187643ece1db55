import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { chaosProxy } from '../conformance/index.ts';
import { proveWhole } from '../redis/proof.ts';
import { startRedis, type RedisServer } from '../redis/redis-server.ts';
import { patience } from '../support/patience.ts';
import { startHost, type HostProcess } from './host-process.ts';
import { openBuildFolder, type Version, type BuildFolder } from './release.ts';
import { isQuestion, questionOf, requestsTo, resultOf, shownByAll, watch, watchEveryWay } from './wire.ts';

const STEPS = 10;
const count = (clientRequestId: string, input: object = {}) => ({ clientRequestId, taskType: 'count', input: { to: STEPS, ...input } });

describe('0.1.0 and today, at once on one Redis', () => {
  const versions = new Map<string, Version>();
  const hosts = new Map<string, HostProcess>();
  let folder: BuildFolder;
  let redis: RedisServer;

  const hostOf = (name: string): HostProcess => {
    const host = hosts.get(name);
    if (!host) throw new Error(`No host of ${name} was started.`);
    return host;
  };
  const start = async (name: string): Promise<HostProcess> => {
    const version = versions.get(name);
    if (!version) throw new Error(`There is no version ${name} here.`);
    return startHost(version, { redis: redis.port });
  };
  const create = async (url: string, ...given: Parameters<typeof count>): Promise<string> => {
    const { status, body } = await requestsTo(url).create(count(...given));
    expect(status).toBe(201);
    return body.taskId ?? '';
  };

  beforeAll(async () => {
    [folder, redis] = await Promise.all([openBuildFolder(), startRedis()]);
    for (const version of await Promise.all([folder.unpack('0.1.0'), folder.today()])) versions.set(version.name, version);
    await Promise.all([...versions.keys()].map(async (name) => hosts.set(name, await start(name))));
  }, patience(180_000));
  afterAll(async () => {
    await Promise.all([...hosts.values()].map((host) => host.kill()));
    await redis.stop();
    await folder.clear();
  });

  // What today began is too new for 0.1.0, see `newer.test.ts`.
  describe.each([['0.1.0', 'today']])('what %s began, %s', (from, to) => {
    it('reads by every way, answers, and sees end', async () => {
      const [a, b] = [hostOf(from), hostOf(to)];
      const taskId = await create(a.url, `answered by ${to}`);
      const asked = await watch(a.url, taskId, { until: isQuestion });
      for (const log of await watchEveryWay(b.url, taskId, isQuestion)) expect(log).toEqual(asked);
      expect(shownByAll(await requestsTo(b.url).get(taskId))).toEqual(shownByAll(await requestsTo(a.url).get(taskId)));

      expect(await requestsTo(b.url).act(taskId, questionOf(asked), 'yes', 'one')).toMatchObject({
        status: 202,
        body: { status: 'ACCEPTED' },
      });
      const log = await watch(b.url, taskId);
      proveWhole(log, STEPS);
      expect(resultOf(log)).toEqual({ counted: STEPS, attempt: 1 });
      for (const { url } of [a, b]) for (const same of await watchEveryWay(url, taskId)) expect(same).toEqual(log);
      expect(shownByAll(await requestsTo(b.url).get(taskId))).toEqual(shownByAll(await requestsTo(a.url).get(taskId)));
    });

    it('knows the receipts of', async () => {
      const [a, b] = [requestsTo(hostOf(from).url), requestsTo(hostOf(to).url)];
      const taskId = await create(hostOf(from).url, `receipts for ${to}`);
      const question = questionOf(await watch(hostOf(from).url, taskId, { until: isQuestion }));
      expect((await a.act(taskId, question, 'yes', 'one')).body.status).toBe('ACCEPTED');
      expect((await b.act(taskId, question, 'yes', 'one')).body.status).toBe('DEDUPLICATED');
      expect((await b.act(taskId, question, 'no', 'one')).body.code).toBe('IDEMPOTENCY_CONFLICT');
      expect((await b.act(taskId, question, 'no', 'two')).body.status).toBe('REJECTED_ALREADY_RESOLVED');
      proveWhole(await watch(hostOf(to).url, taskId), STEPS);
    });

    it('does not begin again', async () => {
      const [a, b] = [requestsTo(hostOf(from).url), requestsTo(hostOf(to).url)];
      const task = count(`once, begun by ${from}`, { ask: false });
      const { body } = await a.create(task);
      expect(await b.create(task)).toMatchObject({ status: 200, body: { taskId: body.taskId, deduplicated: true } });
      expect(await b.create({ ...task, input: {} })).toMatchObject({ status: 409, body: { code: 'IDEMPOTENCY_CONFLICT' } });
      proveWhole(await watch(hostOf(to).url, body.taskId ?? ''), STEPS);
    });

    it('cancels', async () => {
      const { body } = await requestsTo(hostOf(from).url).create({ clientRequestId: `cancelled by ${to}`, taskType: 'wait' });
      const taskId = body.taskId ?? '';
      await watch(hostOf(from).url, taskId, { until: ({ type }) => type === 'TASK_STARTED' });
      expect((await requestsTo(hostOf(to).url).cancel(taskId)).status).toBe(202);
      const log = await watch(hostOf(to).url, taskId);
      expect(log.map(({ type }) => type)).toEqual(['TASK_STARTED', 'TASK_CANCEL_REQUESTED', 'TASK_CANCELLED']);
      expect(await watch(hostOf(from).url, taskId)).toEqual(log);
    });

    it('takes over once its host is frozen past its lease, and hears nothing of it when that wakes', async () => {
      const [a, b] = [hostOf(from), hostOf(to)];
      const taskId = await create(a.url, `taken by ${to}`);
      const question = questionOf(await watch(a.url, taskId, { until: isQuestion }));
      a.freeze();
      expect((await requestsTo(b.url).act(taskId, question, 'yes', 'one')).body.status).toBe('ACCEPTED');
      const log = await watch(b.url, taskId);
      a.thaw();
      proveWhole(log, STEPS);
      expect(resultOf(log)).toEqual({ counted: STEPS, attempt: 2 });
      // What it would report is refused: the task is written in a form that is too new for it.
      await vi.waitFor(async () => expect((await requestsTo(a.url).get(taskId)).status).toBe(503));
      expect(await watch(b.url, taskId)).toEqual(log);
    });

    it('takes over once its host is killed, with its question and the answer', async () => {
      const [a, b] = [hostOf(from), hostOf(to)];
      const taskId = await create(a.url, `left to ${to}`);
      const question = questionOf(await watch(a.url, taskId, { until: isQuestion }));
      await a.kill();
      expect((await requestsTo(b.url).act(taskId, question, 'yes', 'one')).body.status).toBe('ACCEPTED');
      const log = await watch(b.url, taskId);
      proveWhole(log, STEPS);
      expect(resultOf(log)).toEqual({ counted: STEPS, attempt: 2 });
      hosts.set(from, await start(from));
    });
  });

  it(
    'are exchanged one host after the other, and nobody who watches misses or hears twice',
    async () => {
      await hostOf('today').close();
      let [a, b] = [hostOf('0.1.0'), await start('0.1.0')];
      let turn = 0;
      const balancer = await chaosProxy({ target: () => ((turn += 1) % 2 === 0 ? [a, b] : [b, a]) });
      const url = `http://127.0.0.1:${balancer.port}`;
      const taskIds = await Promise.all([a, b, a, b].map((host, i) => create(host.url, `rolling ${i}`)));
      const questions = await Promise.all(taskIds.map(async (taskId) => questionOf(await watch(url, taskId, { until: isQuestion }))));
      const logs = taskIds.map((taskId) => watch(url, taskId));
      const answer = async (i: number): Promise<void> => {
        const { status } = await requestsTo(a.url).act(taskIds[i] ?? '', questions[i] ?? '', 'yes', `answer ${i}`);
        expect(status).toBe(202);
      };

      await a.kill();
      a = await start('today');
      await Promise.all([answer(0), answer(1)]);
      await b.close();
      b = await start('today');
      await Promise.all([answer(2), answer(3)]);

      for (const [i, log] of (await Promise.all(logs)).entries()) {
        proveWhole(log, STEPS);
        expect(await watch(b.url, taskIds[i] ?? '')).toEqual(log);
      }
      await balancer.close();
      await Promise.all([a.kill(), b.kill()]);
    },
    patience(180_000),
  );
});
