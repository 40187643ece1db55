import { Redis } from 'ioredis';
import { inProcess } from 'taskbridge/adapters/in-process';
import { redisProbe, redisStore } from 'taskbridge/adapters/redis';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import * as scripts from '../../adapters/redis/scripts/index.ts';
import { defineTests, storeSuite } from '../conformance/index.ts';
import { commitOf, factOf, taskWithFacts } from '../conformance/store/samples.ts';
import { snippet } from '../readme/snippets.ts';
import { bridgeOf } from '../server/bridge-of.ts';
import { WAIT_MS } from '../support/patience.ts';
import { otherBuilds, ownBuild } from './redis-builds.ts';
import { startRedisOf, type RedisServer } from './redis-server.ts';

const [command = '', ...args] = snippet('redis-user', 'adapters/redis/README.md').trim().split(' ');
const granted = args.filter((text) => text.startsWith('+')).map((text) => text.slice(1).toUpperCase());
const patient = { commandTimeoutMs: WAIT_MS, openTimeoutMs: WAIT_MS };

async function asUser(server: RedisServer, ...changes: string[]): Promise<Redis> {
  const admin = new Redis(server.port);
  await admin.call(command, ...args, ...changes);
  admin.disconnect();
  return new Redis({ port: server.port, username: 'taskbridge', password: 'a-long-secret' });
}

describe('the user of the README', () => {
  it('may run what the scripts call, and open tries each', () => {
    const texts = [
      scripts.appendScript({ isCluster: false, messageBytesMax: 1 }),
      scripts.flushScript({ isCluster: false, messageBytesMax: 1 }),
      ...Object.values(scripts).filter((each) => typeof each === 'object'),
    ];
    const called = new Set(
      texts.flatMap(({ lua }) => [...lua.matchAll(/\b(?:call|pcall|many)\('([A-Z]+)'/g)].map(([, name = '']) => name)),
    );
    const tried = new Set(scripts.trialCommands('key', false).map(([name = '']) => name));
    // Without INFO only the tasks of 0.1.0 are not looked for: `open` warns, and goes on.
    expect([...called].filter((name) => !tried.has(name))).toEqual(['INFO']);
    // The probe's own.
    expect([...tried].filter((name) => !called.has(name))).toEqual(['SETRANGE']);
    const asked = ['EVAL', 'EVALSHA', 'INFO', 'PING', 'SUBSCRIBE', 'UNSUBSCRIBE'];
    expect([...granted].sort()).toEqual([...tried, ...asked].sort());
  });
});

describe.each([ownBuild, ...otherBuilds])('the user of the README on $name', (build) => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedisOf(build, '--appendonly', 'no');
  });
  afterAll(() => server.stop());

  it('is ready for a probe', async () => {
    const redis = await asUser(server);
    onTestFinished(() => redis.disconnect());
    expect(await redisProbe(redis).check()).toMatchObject({ ready: true });
  });

  it.each(granted.filter((name) => name !== 'INFO'))('is refused at open without %s, by name', async (name) => {
    const redis = await asUser(server, `-${name.toLowerCase()}`);
    onTestFinished(() => redis.disconnect());
    await expect(redisStore(redis, { ...patient, logger: { warn: () => undefined, error: () => undefined } }).open()).rejects.toThrow(
      new RegExp(`let this user run [A-Z, ]*\\b${name}\\b.*README`),
    );
  });

  it.each(['~other:*', '&other:*'])('is refused at open where it has %s only', async (pattern) => {
    const redis = await asUser(server, pattern.startsWith('~') ? 'resetkeys' : 'resetchannels', pattern);
    onTestFinished(() => redis.disconnect());
    await expect(redisStore(redis, patient).open()).rejects.toThrow('does not let this user');
  });

  it('that loses SUBSCRIBE and UNSUBSCRIBE later leaves lines in the log', async () => {
    const redis = await asUser(server);
    onTestFinished(() => redis.disconnect());
    const warn = vi.fn();
    const store = redisStore(redis, { ...patient, logger: { warn, error: () => undefined } });
    await store.open();
    onTestFinished(() => store.close());
    const { taskId } = await taskWithFacts(store, 0);
    const tail = store.tail({ committed: () => undefined, interrupted: () => undefined });
    await tail.watch(taskId);
    const admin = new Redis(server.port);
    onTestFinished(() => admin.disconnect());
    await admin.acl('SETUSER', 'taskbridge', '-unsubscribe', '-subscribe');
    const { taskId: other } = await taskWithFacts(store, 0);
    await expect(tail.watch(other)).rejects.toThrow();
    expect(warn).toHaveBeenCalledWith(expect.stringContaining('hear of tasks'), expect.anything());
    tail.unwatch(taskId);
    await vi.waitFor(() => expect(warn).toHaveBeenCalledWith(expect.stringContaining('leave channels'), expect.anything()));
    expect(await store.append(commitOf(taskId, 1, { facts: [factOf(taskId, 1)] }))).toBe('committed');
  });

  it('hears on one node whom another disconnects', async () => {
    const ask = inProcess({
      ask: async (task) => void (await task.suspend('q', { reasonCode: 'Q', allowedActions: ['ok'] })),
    });
    const node = async () => {
      const redis = await asUser(server);
      onTestFinished(() => redis.disconnect());
      return (await bridgeOf(ask, { store: redisStore(redis, patient) })).bridge;
    };
    const [one, two] = [await node(), await node()];
    const tasks = one.tasks({ subject: 'alice' });
    const { taskId } = await tasks.start({ clientRequestId: 'watched', taskType: 'ask' });
    const failed = vi.fn();
    const follow = async () => {
      for await (const fact of tasks.watch(taskId)) void fact;
    };
    void follow().catch(({ code }: { readonly code?: unknown }) => void failed(code));
    // It may not be connected yet.
    await vi.waitFor(async () => {
      await two.disconnect({ subject: 'alice' });
      expect(failed.mock.calls).toEqual([['AUTHENTICATION_ERROR']]);
    });
  });

  let prefixes = 0;
  defineTests({ describe, it }, storeSuite, `${build.name} as that user`, async () => {
    const redis = await asUser(server);
    const prefix = `taskbridge:${(prefixes += 1)}`;
    let store = redisStore(redis, { prefix, ...patient });
    await store.open();
    return {
      store,
      async reopen() {
        await store.close();
        store = redisStore(redis, { prefix, ...patient });
        await store.open();
        return store;
      },
      async close() {
        await store.close();
        redis.disconnect();
      },
    };
  });
});
