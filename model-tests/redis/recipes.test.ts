import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { Redis, type Cluster } from 'ioredis';
import { redisProbe, redisStore } from 'taskbridge/adapters/redis';
import type { Entry, Store } from 'taskbridge/server';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { commitOf, factOf, sampleTask, taskWithFacts } from '../conformance/store/samples.ts';
import { snippet } from '../readme/snippets.ts';
import { freePort } from '../support/free-port.ts';
import { patience } from '../support/patience.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { startCluster } from './redis-cluster.ts';
import { otherBuilds, ownBuild } from './redis-builds.ts';
import { startRedisProxy } from './redis-proxy.ts';
import { startSentinels } from './redis-sentinel.ts';
import { startRedis, startRedisOf, type RedisServer } from './redis-server.ts';

const logger = { warn: vi.fn(), error: vi.fn() };

/** The client that a recipe of the README makes, with the addresses of the test in the place of those of the recipe. */
function clientOf(recipe: string, addresses: Readonly<Record<string, string>>): Redis {
  let text = snippet(recipe, 'adapters/redis/README.md');
  for (const [written, real] of Object.entries(addresses)) {
    expect(text).toContain(written);
    text = text.replaceAll(written, real);
  }
  const redis = runInNewContext(`(() => {\n${text}\nreturn redis;\n})()`, { Redis, readFileSync }) as Redis;
  redis.on('error', () => undefined);
  onTestFinished(() => redis.disconnect());
  return redis;
}

async function storeOn(redis: Redis | Cluster, commandTimeoutMs = patience(1000)): Promise<Store> {
  logger.warn.mockClear();
  const store = redisStore(redis, { logger, commandTimeoutMs, openTimeoutMs: patience(10_000) });
  await store.open();
  onTestFinished(() => store.close());
  return store;
}

/** A master and a replica of it. */
async function pair(build = ownBuild): Promise<readonly [RedisServer, RedisServer]> {
  const start = (): Promise<RedisServer> => startRedisOf(build, '--appendonly', 'no', '--repl-diskless-sync-delay', '0');
  const [master, replica] = await Promise.all([start(), start()]);
  onTestFinished(async () => void (await Promise.all([master.stop(), replica.stop()])));
  const admin = new Redis(replica.port);
  onTestFinished(() => admin.disconnect());
  await admin.replicaof('127.0.0.1', master.port);
  await expect.poll(async () => String(await admin.info('replication'))).toContain('master_link_status:up');
  return [master, replica];
}

/** Proves that a store creates, commits and is told of it. */
async function proveInUse(store: Store): Promise<void> {
  const { taskId } = await vi.waitFor(async () => {
    const task = sampleTask();
    await store.create(task);
    return task;
  });
  const told: Entry[] = [];
  const tail = store.tail({ committed: (_, entries) => void told.push(...entries), interrupted: () => undefined });
  await vi.waitFor(() => tail.watch(taskId));
  await store.append(commitOf(taskId, 1, { facts: [factOf(taskId, 1)] }));
  await vi.waitFor(() => expect(told).toHaveLength(1));
  await tail.close();
}

describe('the recipe for', () => {
  it('a name that moves goes on with the new master, by a commit, after the old one became its replica', async () => {
    const [one, two] = await pair();
    const name = await startRedisProxy(one.port);
    onTestFinished(() => name.close());
    const store = await storeOn(clientOf('redis-name', { 'redis.internal:6379': `127.0.0.1:${name.port}` }));
    const { taskId } = await taskWithFacts(store, 1);
    const [onOne, onTwo] = [new Redis(one.port), new Redis(two.port)];
    await onOne.wait(1, 0);
    await onTwo.replicaof('NO', 'ONE');
    await onOne.replicaof('127.0.0.1', two.port);
    for (const client of [onOne, onTwo]) client.disconnect();
    name.nameMovesTo(two.port);
    await vi.waitFor(async () => expect(await store.append(commitOf(taskId, 2, { facts: [factOf(taskId, 2)] }))).toBe('committed'));
    await proveInUse(store);
  });

  describe('Sentinel goes on when the master is frozen, and a Sentinel with it', () => {
    it.for([ownBuild, ...otherBuilds])('on $name', async (build) => {
      const [master, replica] = await pair(build);
      const sentinels = await startSentinels(3, { name: 'mymaster', port: master.port }, patience(1000), build);
      onTestFinished(async () => void (await Promise.all(sentinels.map((each) => each.stop()))));
      const [first] = sentinels;
      const admin = new Redis(first?.port ?? 0);
      onTestFinished(() => admin.disconnect());
      await expect.poll(async () => String(await admin.call('SENTINEL', 'CKQUORUM', 'mymaster').catch(String))).toContain('3 usable');
      await expect.poll(async () => ((await admin.call('SENTINEL', 'REPLICAS', 'mymaster')) as unknown[]).length).toBe(1);
      const redis = clientOf(
        'redis-sentinel',
        Object.fromEntries(sentinels.map(({ port }, i) => [`'sentinel-${i + 1}.internal', port: 26379`, `'127.0.0.1', port: ${port}`])),
      );
      const store = await storeOn(redis);
      await proveInUse(store);
      expect(logger.warn).not.toHaveBeenCalled();
      master.freeze();
      first?.freeze();
      await proveInUse(store);
      const info = new Redis(replica.port);
      expect(String(await info.info('replication'))).toContain('role:master');
      info.disconnect();
      master.thaw();
      first?.thaw();
    });
  });

  it('TLS serves the store and its tail', async () => {
    const folder = await tempFolder('tls');
    onTestFinished(() => folder.remove());
    const at = (name: string): string => join(folder.path, name);
    const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'ignore' });
    openssl(
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '2',
      '-subj',
      '/CN=ca',
      '-keyout',
      at('ca.key'),
      '-out',
      at('ca.pem'),
    );
    openssl(
      'req',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-subj',
      '/CN=redis',
      '-addext',
      'subjectAltName=IP:127.0.0.1',
      '-keyout',
      at('redis.key'),
      '-out',
      at('redis.csr'),
    );
    openssl(
      'x509',
      '-req',
      '-in',
      at('redis.csr'),
      '-CA',
      at('ca.pem'),
      '-CAkey',
      at('ca.key'),
      '-CAcreateserial',
      '-days',
      '2',
      '-copy_extensions',
      'copy',
      '-out',
      at('redis.pem'),
    );
    const port = await freePort();
    const tls = [
      '--tls-port',
      String(port),
      '--tls-cert-file',
      at('redis.pem'),
      '--tls-key-file',
      at('redis.key'),
      '--tls-ca-cert-file',
      at('ca.pem'),
    ];
    const server = await startRedis(...tls, '--tls-auth-clients', 'no');
    onTestFinished(() => server.stop());
    const redis = clientOf('redis-tls', { 'redis.internal:6379': `127.0.0.1:${port}`, '/etc/ssl/redis-ca.pem': at('ca.pem') });
    const store = await storeOn(redis);
    await proveInUse(store);
    // Nothing of ours goes past it.
    const plain = new Redis(server.port);
    expect(
      String(await plain.client('LIST'))
        .split('\n')
        .filter((line) => !line.includes(`laddr=127.0.0.1:${port}`) && line.includes('addr=')),
    ).toHaveLength(1);
    plain.disconnect();
  });

  it('a user serves a cluster too, with the rights that are told beside it', async () => {
    const cluster = await startCluster(3);
    onTestFinished(() => cluster.stop());
    const [beside] = /`(\+cluster[^`]*)`/
      .exec(readFileSync(new URL('../../adapters/redis/README.md', import.meta.url), 'utf8'))
      ?.slice(1) ?? [''];
    const [command = '', ...args] = `${snippet('redis-user', 'adapters/redis/README.md').trim()} ${beside}`.split(' ');
    for (const { port } of cluster.servers) {
      const admin = new Redis(port);
      await admin.call(command, ...args);
      admin.disconnect();
    }
    const redis = new Redis.Cluster(
      cluster.servers.map(({ port }) => ({ host: '127.0.0.1', port })),
      {
        redisOptions: { username: 'taskbridge', password: 'a-long-secret' },
      },
    );
    onTestFinished(() => redis.disconnect());
    const store = await storeOn(redis);
    await proveInUse(store);
    expect(await redisProbe(redis).check()).toMatchObject({ ready: true });
    expect(logger.warn).not.toHaveBeenCalled();
  });
});
