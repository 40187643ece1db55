import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { lmdbStore } from '../../adapters/lmdb/index.ts';
import { memoryStore } from '../../adapters/memory/index.ts';
import { redisStore } from '../../adapters/redis/index.ts';
import type { Store } from '../../server/index.ts';
import { startRedis, type RedisServer } from '../redis/redis-server.ts';
import { bridgeOf } from '../server/bridge-of.ts';
import { suspensionMachine, taskMachine } from '../../machines/index.ts';
import { cellsOf, coverageOf, leftOut } from './level-coverage.ts';
import { driveTask, puppetWork, type Ground } from './task-drive.ts';
import { crowdedPath, ignoringPath, taskTours } from './task-plan.ts';

const silent = { warn: () => undefined, error: () => undefined };
/** Tasks at once. */
const LANES = 6;
let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis('--appendonly', 'no');
});
afterAll(() => redis.stop());

const { paths, places, moves } = taskTours(40);

function onRedis(prefix: string): Store {
  const client = new Redis(redis.port);
  onTestFinished(() => client.disconnect());
  return redisStore(client, { prefix, logger: silent });
}

const grounds: Readonly<Record<string, () => Promise<readonly Store[]>>> = {
  memory: async () => [memoryStore()],
  async lmdb() {
    const path = await mkdtemp(join(tmpdir(), 'taskbridge-coverage-'));
    onTestFinished(() => rm(path, { recursive: true, force: true }));
    return [lmdbStore({ path })];
  },
  redis: async () => [onRedis('one')],
  'two nodes on one redis': async () => [onRedis('two'), onRedis('two')],
};

test.each(Object.keys(grounds))(
  'server, log and clients by WebSocket, stream and poll agree after every move of a task on %s',
  async (name) => {
    const work = puppetWork();
    const stores = (await grounds[name]?.()) ?? [];
    const doors = [];
    for (const store of stores) doors.push(await bridgeOf(work.executor, { store, tasks: { cancelGraceMs: 3_600_000 } }));
    const [store] = stores;
    if (!store) throw new Error('There is no store.');
    const ground: Ground = { doors, store, work };
    const waiting = [...paths, crowdedPath];
    const faults: string[] = [];
    await Promise.all(
      Array.from({ length: LANES }, async () => {
        for (let path = waiting.shift(); path; path = waiting.shift())
          await driveTask(ground, path).catch((error: unknown) => faults.push(String(error)));
      }),
    );
    const hasty = await bridgeOf(work.executor, { store: memoryStore(), tasks: { cancelGraceMs: 1 } });
    await driveTask({ doors: [hasty], store: hasty.store, work }, ignoringPath);
    process.stdout.write(`task · ${name} · places ${places} · moves ${moves} · paths ${paths.length} · steps ${paths.flat().length}\n`);
    expect(faults).toEqual([]);
  },
  300_000,
);

test('these paths visit every state, edge and refusal of the charts of a task that the doors of a server can reach', () => {
  const { task, suspension } = coverageOf([...paths, crowdedPath, ignoringPath]);
  process.stdout.write(`task · over the doors · ${cellsOf(task, taskMachine)}\n`);
  process.stdout.write(`suspension · over the doors · ${cellsOf(suspension, suspensionMachine)}\n`);
  expect([...task.missing(), ...suspension.missing()].sort()).toEqual([...leftOut].sort());
});
