import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isTerminalFact } from 'taskbridge/client/node';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { proveWhole } from '../redis/proof.ts';
import { startRedis, type RedisServer } from '../redis/redis-server.ts';
import { patience } from '../support/patience.ts';
import { startHost, type HostProcess, type LogLine, type Place } from './host-process.ts';
import { openBuildFolder, versionConstants, type Version, type BuildFolder } from './release.ts';
import { isQuestion, questionOf, requestsTo, resultOf, watch, type Answer } from './wire.ts';

// A host meets tasks that a newer one wrote. The newer one is today's code that writes one form under the next version, in place of the code
// that does not exist yet: what it writes is real, and so is what others make of it.

const STEPS = 10;
const raised = Object.keys(versionConstants) as (keyof typeof versionConstants)[];
const known = ['0.1.0', 'today'];
const count = (clientRequestId: string, input: object = {}) => ({ clientRequestId, taskType: 'count', input: { to: STEPS, ...input } });
const unreadable: Partial<Answer> & { readonly body: object } = {
  status: 503,
  body: expect.objectContaining({
    code: 'STORE_UNAVAILABLE',
    message: 'A newer version of this service looks after the task; try again later.',
  }) as object,
  retryAfter: '5',
};
/** A WebSocket is cut without a word, as after any fault of a server, so that a client stays with that transport and comes back. */
const CUT = 1006;
const restsOf = (lines: readonly LogLine[], task: string) =>
  lines.filter(({ taskId, pauseMs }) => taskId === task && pauseMs !== undefined);

let folder: BuildFolder;
const versions = new Map<string, Version>();

beforeAll(async () => {
  folder = await openBuildFolder();
  versions.set('0.1.0', await folder.unpack('0.1.0'));
  versions.set('today', await folder.today());
  for (const name of raised) versions.set(name, await folder.tomorrow(name));
});
afterAll(() => folder.clear());

async function start(name: string, place: Place): Promise<HostProcess> {
  const version = versions.get(name);
  if (!version) throw new Error(`There is no version ${name} here.`);
  return startHost(version, place);
}

/** All that a host can be asked about a task that it cannot read, and what it answers. */
async function expectUnreadable(host: HostProcess, taskId: string, suspendId: string, clientRequestId: string): Promise<void> {
  const requests = requestsTo(host.url);
  expect(await requests.get(taskId)).toEqual(unreadable);
  expect(await requests.poll(taskId)).toEqual(unreadable);
  expect(await requests.stream(taskId)).toEqual(unreadable);
  expect(await requests.act(taskId, suspendId, 'yes', 'one')).toEqual(unreadable);
  expect(await requests.cancel(taskId)).toEqual(unreadable);
  expect(await requests.create(count(clientRequestId))).toEqual(unreadable);
  expect(await closeCodeOf(host.url, taskId)).toBe(CUT);
}

/** How a WebSocket ends that subscribes to a task. */
async function closeCodeOf(url: string, taskId: string): Promise<number> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/api/v1/tasks/ws`);
  await once(socket, 'open');
  socket.send(JSON.stringify({ action: 'subscribe', taskId }));
  const [code] = (await once(socket, 'close')) as [number];
  return code;
}

async function expectServed(host: HostProcess, clientRequestId: string): Promise<void> {
  const { body } = await requestsTo(host.url).create(count(clientRequestId, { ask: false }));
  proveWhole(await watch(host.url, body.taskId ?? ''), STEPS);
}

describe('on one Redis beside a host of tomorrow', () => {
  const hosts = new Map<string, HostProcess>();
  let redis: RedisServer;
  const hostOf = (name: string): HostProcess => {
    const host = hosts.get(name);
    if (!host) throw new Error(`No host of ${name} was started.`);
    return host;
  };

  beforeAll(async () => {
    redis = await startRedis();
    await Promise.all([...versions.keys()].map(async (name) => hosts.set(name, await start(name, { redis: redis.port }))));
  }, patience(180_000));
  afterAll(async () => {
    await Promise.all([...hosts.values()].map((host) => host.kill()));
    await redis.stop();
  });

  async function expectLeftAlone(name: string, form: string): Promise<void> {
    const [host, newer] = [hostOf(name), hostOf(form)];
    const clientRequestId = `${form} beside ${name}`;
    const { body } = await requestsTo(newer.url).create(count(clientRequestId));
    const taskId = body.taskId ?? '';
    const question = questionOf(await watch(newer.url, taskId, { until: isQuestion }));
    await expectUnreadable(host, taskId, question, clientRequestId);
    await expectServed(host, `served by ${name} beside ${form}`);

    expect((await requestsTo(newer.url).act(taskId, question, 'yes', 'one')).body.status).toBe('ACCEPTED');
    const log = await watch(newer.url, taskId);
    proveWhole(log, STEPS);
    expect(resultOf(log)).toEqual({ counted: STEPS, attempt: 1 });
  }

  // What 0.1.0 holds, today writes as 0.1.0 does, see `redis.test.ts`; what today begins is too new for it.
  it('0.1.0 answers 503 for a task that today made, serves all others, and harms nothing', () => expectLeftAlone('0.1.0', 'today'));

  const pairs = known.flatMap((name) => raised.map((form) => [name, form] as const));
  it.each(pairs)(
    '%s, where %s was raised, answers 503 for a task that tomorrow made, serves all others, and harms nothing',
    expectLeftAlone,
  );

  // The record of what 0.1.0 holds is written as 0.1.0 does, whatever its own next version is.
  const concerned = pairs.filter(([name, form]) => name !== '0.1.0' || form !== 'EXECUTION_RECORD_VERSION');
  describe.each(concerned)('%s, where %s was raised,', (name, form) => {
    it('loses work that it holds to tomorrow once that has written the task', async () => {
      const [host, newer] = [hostOf(name), hostOf(form)];
      const clientRequestId = `${name} until ${form}`;
      const { body } = await requestsTo(host.url).create(count(clientRequestId));
      const taskId = body.taskId ?? '';
      let question = '';
      const watched = watch(host.url, taskId, {
        until(fact) {
          if (isQuestion(fact)) question = fact.payload.suspendId;
          return isTerminalFact(fact);
        },
      });
      await vi.waitUntil(() => question !== '');
      expect((await requestsTo(newer.url).act(taskId, question, 'yes', 'one')).body.status).toBe('ACCEPTED');
      await expectUnreadable(host, taskId, question, clientRequestId);

      // It tries again ever more seldom; 0.1.0 says so each time, today once a minute.
      if (name === '0.1.0') {
        await vi.waitFor(() => expect(restsOf(host.lines, taskId).length).toBeGreaterThan(5));
        const rests = restsOf(host.lines, taskId);
        expect(rests.slice(0, 6).map(({ pauseMs }) => pauseMs)).toEqual([50, 100, 200, 400, 800, 1600]);
        for (const [i, { atMs }] of rests.slice(1).entries())
          expect(atMs - (rests[i]?.atMs ?? 0)).toBeGreaterThan((rests[i]?.pauseMs ?? 0) / 2);
      }
      expect(host.isAlive).toBe(true);
      expect(host.lines.filter(({ level }) => level === 'error')).toEqual([]);
      await expectServed(host, `served by ${name} after ${form}`);

      if (name === 'today') {
        // Its lease is its process's, and says nothing of single tasks: tomorrow has the work when that process is gone, as after a deploy.
        watched.catch(() => undefined);
        await host.kill();
        hosts.set(name, await start(name, { redis: redis.port }));
      }
      // 0.1.0 renews its lease no more: it cannot read whether the work is still its own.
      const log = await watch(newer.url, taskId);
      proveWhole(log, STEPS);
      expect(resultOf(log)).toEqual({ counted: STEPS, attempt: 2 });
      if (name === '0.1.0') expect(await watched).toEqual(log);
    });

    it('is not heard with what its work reports once tomorrow has written the task, and does not ask in a hurry', async () => {
      const [host, newer] = [hostOf(name), hostOf(form)];
      const { body } = await requestsTo(host.url).create(count(`${name} cancelled by ${form}`, { ask: false, to: 10_000 }));
      const taskId = body.taskId ?? '';
      await watch(host.url, taskId, { until: ({ type }) => type === 'TASK_PROGRESS' });
      expect((await requestsTo(newer.url).cancel(taskId)).status).toBe(202);

      const log = await watch(newer.url, taskId);
      expect(log.slice(-2).map(({ type }) => type)).toEqual(['TASK_CANCEL_REQUESTED', 'TASK_CANCELLED']);
      const retries = () => host.lines.filter((line) => line.taskId === taskId && line.message.includes('no known outcome'));
      if (name === '0.1.0') {
        await vi.waitFor(() => expect(retries().length).toBeGreaterThan(4));
        // Half of 80, 160 and 320 ms at the least.
        expect((retries()[4]?.atMs ?? 0) - (retries()[0]?.atMs ?? 0)).toBeGreaterThan(275);
      } else {
        await expectServed(host, `served by ${name} though ${form}`);
        // What it cannot read it does not take for a lost reply.
        expect(retries()).toEqual([]);
      }
      expect(host.isAlive).toBe(true);
      expect(host.lines.filter(({ level }) => level === 'error')).toEqual([]);
    });
  });
});

describe('on an LMDB folder that a host of tomorrow had', { timeout: patience(180_000) }, () => {
  let path: string;
  beforeAll(async () => {
    path = await mkdtemp(join(tmpdir(), 'taskbridge-versions-lmdb-'));
  });
  afterAll(() => rm(path, { recursive: true, force: true }));

  it('answers 503 for its tasks and serves all others; tomorrow finds them as they were', async () => {
    const left = new Map<string, { readonly taskId: string; readonly question: string }>();
    // For 0.1.0 today is newer too. It comes last, and goes on first, since tomorrow would take over its work.
    for (const form of [...raised, 'today']) {
      const newer = await start(form, { lmdb: path });
      const { body } = await requestsTo(newer.url).create(count(`left by ${form}`));
      const taskId = body.taskId ?? '';
      left.set(form, { taskId, question: questionOf(await watch(newer.url, taskId, { until: isQuestion })) });
      await newer.close();
    }
    for (const name of known) {
      const host = await start(name, { lmdb: path });
      const newer = [...left].filter(([form]) => form !== name);
      for (const [form, { taskId, question }] of newer) await expectUnreadable(host, taskId, question, `left by ${form}`);
      await expectServed(host, `served by ${name}`);
      for (const [, { taskId }] of name === '0.1.0' ? newer : []) {
        const pauses = () => restsOf(host.lines, taskId).map(({ pauseMs }) => pauseMs);
        // Found at the start, or asked for just now, which 0.1.0 looks after as well; its own rows do not lead it there.
        await vi.waitFor(() => expect(pauses().length).toBeGreaterThan(3));
        expect(pauses().slice(0, 4)).toEqual([50, 100, 200, 400]);
      }
      expect(host.lines.filter(({ level }) => level === 'error')).toEqual([]);
      await host.close();
    }
    for (const [form, { taskId, question }] of [...left].reverse()) {
      const newer = await start(form, { lmdb: path });
      expect((await requestsTo(newer.url).act(taskId, question, 'yes', 'one')).body.status).toBe('ACCEPTED');
      proveWhole(await watch(newer.url, taskId), STEPS);
      await newer.close();
    }
  });
});
