import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { lmdbStore } from '../../adapters/lmdb/index.ts';
import { memoryStore } from '../../adapters/memory/index.ts';
import { redisStore } from '../../adapters/redis/index.ts';
import { systemClock, type Clock, type Store, type TaskBridgeOptions } from '../../server/index.ts';
import { noteRow, rowOf } from '../charts/coverage-row.ts';
import { startRedis, type RedisServer } from '../redis/redis-server.ts';
import { bridgeOf, type RunningBridge } from '../server/bridge-of.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { leftOut, newLevelCoverage } from './level-coverage.ts';
import { joinInTheMiddle } from './joining.ts';
import { driveTask, manualWork, type SystemUnderTest } from './task-drive.ts';
import {
  crowdedPath,
  curiousPath,
  ignoringPath,
  latePath,
  oddPaths,
  partPaths,
  refusedPath,
  taskTours,
  type TaskStep,
} from './task-plan.ts';
import { patience, WAIT_MS } from '../support/patience.ts';

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
  return redisStore(client, { prefix, logger: silent, commandTimeoutMs: WAIT_MS });
}

/** Each level: the stores of its nodes, empty and apart from those before. */
const levels: Readonly<Record<string, (name: string) => Promise<readonly Store[]>>> = {
  memory: async () => [memoryStore()],
  async lmdb() {
    const { path, remove } = await tempFolder('coverage');
    onTestFinished(remove);
    return [lmdbStore({ path })];
  },
  redis: async (name) => [onRedis(`one-${name}`)],
  'two nodes on redis': async (name) => [onRedis(`two-${name}`), onRedis(`two-${name}`)],
};

/** A clock whose timers oversleep: for longer than the test lasts, however slow the machine is. */
const drowsy: Clock = { ...systemClock, setTimeout: (fn, ms) => systemClock.setTimeout(fn, ms + patience(300_000)) };
/** Doors of three kinds, and what is walked on each. */
const walks: Readonly<Record<string, { readonly options: Partial<TaskBridgeOptions>; readonly paths: readonly (readonly TaskStep[])[] }>> =
  {
    plain: {
      options: { tasks: { cancelGraceMs: 3_600_000, retainedFactsMax: 10_000 } },
      paths: [...paths, crowdedPath, curiousPath, refusedPath, ...partPaths, ...oddPaths],
    },
    hasty: { options: { tasks: { cancelGraceMs: 1 } }, paths: [ignoringPath] },
    drowsy: { options: { clock: drowsy }, paths: [latePath] },
  };

test.for(Object.keys(levels))(
  'server, log, live actor and clients by WebSocket, stream and poll agree after every move of a task on %s',
  { timeout: patience(300_000) },
  async (level, context) => {
    const covered = newLevelCoverage();
    const faults: string[] = [];
    const go = (system: SystemUnderTest, path: readonly TaskStep[]): Promise<void> =>
      driveTask(system, path, covered).catch(
        (error: unknown) => void faults.push(error instanceof Error ? error.message : JSON.stringify(error)),
      );
    for (const [name, walk] of Object.entries(walks)) {
      const work = manualWork();
      const stores = (await levels[level]?.(name)) ?? [];
      const bridges: RunningBridge[] = [];
      for (const store of stores) bridges.push(await bridgeOf(work.executor, { store, ...walk.options }));
      const [store] = stores;
      if (!store) throw new Error('There is no store.');
      const waiting = [...walk.paths];
      await Promise.all(
        Array.from({ length: LANES }, async () => {
          for (let path = waiting.shift(); path; path = waiting.shift()) await go({ bridges, store, work }, path);
        }),
      );
      if (name === 'plain') await joinInTheMiddle({ bridges, store, work }, covered);
    }
    expect(faults).toEqual([]);
    const walked = Object.values(walks).flatMap((walk) => walk.paths);
    const counts = `${moves} moves from ${places} places; ${walked.length} paths, ${walked.flat().length} steps`;
    noteRow(context, rowOf(covered.task, level, counts, leftOut('task')));
    noteRow(context, rowOf(covered.suspension, level, counts, leftOut('suspension')));
    expect(covered.task.missing().sort()).toEqual([...leftOut('task')].sort());
    expect(covered.suspension.missing().sort()).toEqual([...leftOut('suspension')].sort());
  },
);
