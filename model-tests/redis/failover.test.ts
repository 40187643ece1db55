import { Redis } from 'ioredis';
import { createTaskBridgeClient } from 'taskbridge/client/node';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startNode } from './node-process.ts';
import { proveWhole, type Log } from './proof.ts';
import { startRedis } from './redis-server.ts';
import { startRedisProxy } from './redis-proxy.ts';
import { AGAIN_AND_AGAIN, patience } from '../support/patience.ts';

const STEPS = 40;

/** Two nodes behind one wire to a server, and a client of the second; gives what the client saw of a task of the first. */
async function count(redisPort: number, onFact: (count: number) => void): Promise<{ readonly log: Log; again(): Promise<Log> }> {
  const [a, b] = await Promise.all([startNode(redisPort), startNode(redisPort)]);
  onTestFinished(async () => {
    await Promise.all([a.kill(), b.kill()]);
  });
  const limits = { backoffBaseMs: 50, backoffMaxMs: 300, climbIntervalMs: 500, commandRetriesMax: AGAIN_AND_AGAIN };
  const [onA, onB] = [createTaskBridgeClient({ baseUrl: a.url, limits }), createTaskBridgeClient({ baseUrl: b.url, limits })];
  onTestFinished(async () => {
    await Promise.all([onA.close(), onB.close()]);
  });
  const { taskId } = await onA.start({ taskType: 'count', input: { to: STEPS, paceMs: 20, ask: false } });
  const log: Log[number][] = [];
  for await (const fact of onB.observe(taskId)) {
    log.push(fact);
    onFact(log.length);
  }
  return {
    log,
    async again() {
      const stored: Log[number][] = [];
      for await (const fact of onA.observe(taskId)) stored.push(fact);
      return stored;
    },
  };
}

describe('two nodes that reach Redis over a bad wire', () => {
  it('lose nothing and write nothing twice while their connections are reset again and again', async () => {
    const redis = await startRedis('--appendonly', 'no');
    onTestFinished(() => redis.stop());
    const proxy = await startRedisProxy(redis.port);
    onTestFinished(() => proxy.close());
    const { log, again } = await count(proxy.port, (facts) => {
      if (facts % 5 === 0) proxy.reset();
    });
    proveWhole(log, STEPS);
    expect(await again()).toEqual(log);
  });

  it('go on with a replica that was promoted when the master died', async () => {
    const [master, replica] = await Promise.all([
      startRedis('--appendonly', 'no'),
      startRedis('--appendonly', 'no', '--repl-diskless-sync-delay', '0'),
    ]);
    onTestFinished(async () => {
      await Promise.all([master.stop(), replica.stop()]);
    });
    const [onMaster, onReplica] = [new Redis(master.port), new Redis(replica.port)];
    for (const client of [onMaster, onReplica]) {
      client.on('error', () => undefined);
      onTestFinished(() => client.disconnect());
    }
    await onReplica.replicaof('127.0.0.1', master.port);
    await expect.poll(async () => String(await onReplica.info('replication'))).toContain('master_link_status:up');
    const proxy = await startRedisProxy(master.port);
    onTestFinished(() => proxy.close());
    let promoted: Promise<void> | undefined;
    const { log, again } = await count(proxy.port, (facts) => {
      if (facts !== 10) return;
      promoted = (async () => {
        // All that was acknowledged has arrived, as an operator would see to.
        await onMaster.client('PAUSE', patience(60_000), 'WRITE');
        await onMaster.wait(1, patience(20_000));
        await master.kill();
        await onReplica.replicaof('NO', 'ONE');
        proxy.leadTo(replica.port);
      })();
    });
    await promoted;
    proveWhole(log, STEPS);
    expect(await again()).toEqual(log);
  });
});
