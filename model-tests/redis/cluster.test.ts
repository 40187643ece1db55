import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Cluster, Command, Redis } from 'ioredis';
import { inProcess } from 'taskbridge/adapters/in-process';
import { redisStore } from 'taskbridge/adapters/redis';
import { createTaskBridgeClient } from 'taskbridge/client/node';
import type { Entry } from 'taskbridge/server';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  atRest,
  commitOf,
  factOf,
  factsOf,
  heldBy,
  heldOf,
  legible,
  look,
  readAll,
  sampleTask,
  taskWithFacts,
  wakes,
  wanted,
} from '../conformance/store/samples.ts';
import { root, snippet } from '../readme/snippets.ts';
import { bridgeOf } from '../server/bridge-of.ts';
import { eventually } from '../support/eventually.ts';
import { proveWhole, type Log } from './proof.ts';
import { patience } from '../support/patience.ts';
import { startCluster, type RedisCluster } from './redis-cluster.ts';

const silent = { warn: () => undefined, error: () => undefined };
let cluster: RedisCluster;

beforeAll(async () => {
  cluster = await startCluster(3);
});
afterAll(() => cluster.stop());

function slotOf(taskId: string): number {
  return new Command('get', [`{${taskId.slice(0, 2)}}`]).getSlot();
}

/** Which errors the servers have given. */
async function errorsOf(client: Cluster): Promise<string> {
  return (await Promise.all(client.nodes('master').map((node) => node.info('errorstats')))).join('');
}

/** How many connections the servers have in all, but those that the tests ask with. */
async function subscribers(client: Cluster): Promise<number> {
  const lists = await Promise.all(client.nodes('master').map(async (node) => String(await node.client('LIST')).split('\n')));
  return lists.flat().filter((line) => /ssub=[1-9]/.test(line)).length;
}

describe('a cluster of three masters', () => {
  it('has one connection to each master for the tail, however many tasks are watched', async () => {
    const redis = cluster.client();
    const store = redisStore(redis, { prefix: 'tail', logger: silent });
    await store.open();
    const tasks = await Promise.all(Array.from({ length: 300 }, () => taskWithFacts(store, 0)));
    const told: Entry[] = [];
    const tail = store.tail({ committed: (_, entries) => void told.push(...entries), interrupted: () => undefined });
    await Promise.all(tasks.map(({ taskId }) => tail.watch(taskId)));
    expect(await subscribers(redis)).toBe(3);
    await Promise.all(tasks.map(({ taskId }) => store.append(commitOf(taskId, 1, { facts: [factOf(taskId, 1)] }))));
    await vi.waitFor(() => expect(told).toHaveLength(300));
    await tail.close();
    await vi.waitFor(async () => expect(await subscribers(redis)).toBe(0));
    await store.close();
    redis.disconnect();
  });

  it('lets the user of the README work, and hear of notices', async () => {
    const [command = '', ...args] = snippet('redis-user', 'adapters/redis/README.md').trim().split(' ');
    const beside = /with `([^`]+)` beside them/.exec(readFileSync(join(root, 'adapters/redis/README.md'), 'utf8'))?.[1]?.split(' ') ?? [];
    for (const { port } of cluster.servers) {
      const admin = new Redis(port);
      await admin.call(command, ...args, ...beside);
      admin.disconnect();
    }
    const node = async () => {
      const redis = new Cluster(
        cluster.servers.map(({ port }) => ({ host: '127.0.0.1', port })),
        { redisOptions: { username: 'taskbridge', password: 'a-long-secret' } },
      );
      onTestFinished(() => redis.disconnect());
      const store = redisStore(redis, { prefix: 'taskbridge:few', logger: silent });
      onTestFinished(() => store.close());
      await store.open();
      return store;
    };
    const [one, two] = [await node(), await node()];
    const { taskId } = await taskWithFacts(one, 0);
    const [told, announced] = [vi.fn(), vi.fn()];
    await one.tail({ committed: told, interrupted: () => undefined, announced }).watch(taskId);
    const speaker = two.tail({ committed: told, interrupted: () => undefined });
    await two.append(commitOf(taskId, 1, { facts: [factOf(taskId, 1)] }));
    await vi.waitFor(() => expect(told).toHaveBeenCalledOnce());
    // Its slot is of another server, whose answer a watch does not wait for.
    await vi.waitFor(async () => {
      await speaker.announce('ended');
      expect(announced).toHaveBeenCalledWith('ended');
    });
  });

  it('serves the tasks of a master that was frozen, and tells of them, when it is back', async () => {
    const redis = cluster.client();
    const store = redisStore(redis, { prefix: 'frozen', logger: silent, commandTimeoutMs: patience(500) });
    await store.open();
    const { taskId } = await taskWithFacts(store, 0);
    const told: Entry[] = [];
    const tail = store.tail({ committed: (_, entries) => void told.push(...entries), interrupted: () => undefined });
    await tail.watch(taskId);
    const server = cluster.servers[await cluster.ownerOf(slotOf(taskId))];
    server?.freeze();
    try {
      await expect(store.append(commitOf(taskId, 1, { facts: [factOf(taskId, 1)] }))).rejects.toThrow();
    } finally {
      server?.thaw();
    }
    await cluster.becomesWhole();
    await vi.waitFor(async () => {
      // One that was given up may have been written.
      await store.append(commitOf(taskId, 1, { facts: [factOf(taskId, 1)] }));
      expect((await readAll(store, taskId)).entries).toHaveLength(1);
    });
    await vi.waitFor(() => tail.watch(taskId));
    // It is told a little later, and this asks at once.
    const written: string[] = [];
    await vi.waitFor(async () => {
      const { revision } = (await store.load(taskId)) ?? { revision: 0 };
      await store.append(commitOf(taskId, revision, { facts: [factOf(taskId, revision)] }));
      written.push(factOf(taskId, revision).eventId);
      expect(written).toContain(legible(told).at(-1)?.[0]);
    });
    await store.close();
    redis.disconnect();
  });

  it('keeps telling of a task whose slot has moved, and says that it was interrupted', async () => {
    const redis = cluster.client();
    const store = redisStore(redis, { prefix: 'moving', logger: silent });
    await store.open();
    const { taskId } = await taskWithFacts(store, 0);
    const told: Entry[] = [];
    const interrupted = vi.fn();
    const tail = store.tail({ committed: (_, entries) => void told.push(...entries), interrupted });
    await tail.watch(taskId);
    const slot = slotOf(taskId);
    let n = 0;
    /** Appends until one is told: before that, whatever is not told was interrupted. */
    const untilTold = async (): Promise<void> => {
      for (let isTold = false; !isTold;) {
        n += 1;
        const fact = factOf(taskId, n);
        const wasTold = () => told.some(({ eventId }) => eventId === fact.eventId);
        interrupted.mockClear();
        await store.append(commitOf(taskId, n, { facts: [fact] }));
        await vi.waitFor(() => expect(wasTold() || interrupted.mock.calls.length > 0).toBe(true));
        isTold = wasTold();
      }
    };
    await untilTold();
    for (let round = 1; round <= 3; round += 1) {
      interrupted.mockClear();
      await cluster.move(slot, ((await cluster.ownerOf(slot)) + 1) % 3);
      await vi.waitFor(() => expect(interrupted).toHaveBeenCalled());
      await untilTold();
    }
    const log = factsOf(taskId, 1, n);
    expect(legible((await readAll(store, taskId)).entries)).toEqual(legible(log));
    // In their order, none twice.
    const ids = told.map(({ eventId }) => eventId);
    expect(legible(told)).toEqual(legible(log.filter(({ eventId }) => ids.includes(eventId))));
    await tail.close();
    await store.close();
    redis.disconnect();
  });

  it('loses nothing and repeats nothing while the slot of a running task moves, half of it first', async () => {
    const [one, two] = [cluster.client(), cluster.client()];
    const steps = 60;
    const work = inProcess({
      count: {
        repeatable: true,
        async run(task) {
          for (let step = Number(task.saved ?? 0) + 1; step <= steps; step += 1) {
            void task.progress((step / steps) * 100, { stage: `step ${step}` });
            await task.save(step);
            await new Promise((resolve) => setTimeout(resolve, 5));
          }
        },
      },
    });
    const tasks = { reconcileMs: 100, leaseMs: patience(5000) };
    const nodes = await Promise.all(
      [one, two].map((redis) =>
        bridgeOf(work, {
          store: redisStore(redis, { prefix: 'tasks', logger: silent }),
          tasks,
          live: { heartbeatMs: 1000 },
          auth: () => ({ subject: 'ada' }),
        }),
      ),
    );
    const [onOne, onTwo] = nodes.map(({ url }) => createTaskBridgeClient({ baseUrl: url }));
    const { taskId } = (await onOne?.start({ taskType: 'count' })) ?? { taskId: '' };
    const slot = slotOf(taskId);
    let moved: Promise<void> | undefined;
    const log: Log[number][] = [];
    const to = ((await cluster.ownerOf(slot)) + 1) % 3;
    for await (const fact of onTwo?.observe(taskId) ?? []) {
      log.push(fact);
      // While the slot is half moved its keys are on two servers: writes wait.
      if (log.length !== 10) continue;
      moved = cluster.move(slot, to, {
        keys: [`tasks:{${taskId.slice(0, 2)}}:task:${taskId}`],
        until: () => eventually(async () => (await errorsOf(one)).includes('TRYAGAIN')),
      });
    }
    await moved;
    expect(moved).toBeDefined();
    proveWhole(log, steps);
    expect(await cluster.ownerOf(slot)).toBe(to);
    await Promise.all([onOne?.close(), onTwo?.close()]);
    for (const { bridge } of nodes) await bridge.close();
    one.disconnect();
    two.disconnect();
  });

  it.each(['next', 'wanted', 'nodes', 'held:a-node', 'ready:sample', 'task', 'next clock wanted task'])(
    'loses no plan while a slot moves, its %s first',
    async (first) => {
      const redis = cluster.client();
      const prefix = `plans-${first.replace(/\W/g, '-')}`;
      const store = redisStore(redis, { prefix, logger: silent });
      await store.open();
      const now = await store.now();
      const tasks = [wanted(now), wanted(now), wakes(now), heldBy('a-node'), heldBy('a-node'), atRest].map((plan) =>
        sampleTask({ plan }, '3f'),
      );
      const [queued = '', wantedLater = '', due = '', held = '', letGo = '', resting = ''] = tasks.map(({ taskId }) => taskId);
      for (const task of tasks) await store.create(task);
      // Those whose work is wanted come to their queue.
      expect(await store.take(look({ readyMax: 0, hideMs: 1 }))).toEqual({ due: [due], ready: [] });
      const fresh = sampleTask({ plan: wanted(now) }, '3f');
      await store.create(fresh);

      const seen = new Set<string>();
      const takes = async (): Promise<void> => {
        // A look that meets the slot gets nothing from it.
        const taken = await store.take(look({ hideMs: 1 }));
        for (const taskId of [...taken.due, ...taken.ready]) seen.add(taskId);
      };
      const commit = async (...given: Parameters<typeof commitOf>): Promise<void> => {
        await eventually(async () => {
          const answer = await store.append(commitOf(...given)).catch(() => 'unknown');
          return answer === 'committed' || (answer === 'conflict' && (await store.load(given[0]))?.revision === given[1] + 1);
        });
      };
      const slot = slotOf(queued);
      let written: Promise<unknown> | undefined;
      await cluster.move(slot, ((await cluster.ownerOf(slot)) + 1) % 3, {
        keys: first.split(' ').map((key) => `${prefix}:{3f}:${key === 'task' ? `task:${fresh.taskId}` : key}`),
        async until() {
          written = Promise.all([
            commit(wantedLater, 1, { plan: wanted(now + 1), facts: [factOf(wantedLater, 1)] }),
            commit(letGo, 1, { plan: wakes(now + 2), facts: [factOf(letGo, 1)] }),
            commit(resting, 1, { plan: heldBy('b-node'), facts: [factOf(resting, 1)] }),
          ]);
          await takes();
        },
      });
      await written;
      await vi.waitFor(async () => {
        await takes();
        expect([...seen].sort()).toEqual([queued, wantedLater, due, letGo, fresh.taskId].sort());
      });
      expect([await heldOf(store, 'a-node'), await heldOf(store, 'b-node')]).toEqual([[held], [resting]]);
      for (const taskId of [wantedLater, letGo, resting]) expect((await readAll(store, taskId)).entries).toHaveLength(1);
      await store.close();
      redis.disconnect();
    },
  );
});
