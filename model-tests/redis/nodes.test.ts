import { createTaskBridgeClient, type TaskBridgeClient } from 'taskbridge/client/node';
import type { Fact } from 'taskbridge/wire';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { chaosProxy, type ChaosProxy } from '../conformance/index.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { startNode, type NodeProcess } from './node-process.ts';
import { proveWhole, type Log } from './proof.ts';
import { startRedis, type RedisServer } from './redis-server.ts';
import { AGAIN_AND_AGAIN } from '../support/patience.ts';

/** `KILLS=50 npx vitest run model-tests/redis/nodes` for more of them; `SEED` to see the same moments again. */
const KILLS = Number(process.env['KILLS'] ?? 5);
const SEED = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
const STEPS = 40;
/** Facts of an undisturbed count: its steps, the start, the question, the answer. */
const FACTS = STEPS + 3;

function clientOf(baseUrl: string): TaskBridgeClient {
  return createTaskBridgeClient({
    baseUrl,
    limits: {
      backoffBaseMs: 50,
      backoffMaxMs: 300,
      climbIntervalMs: 500,
      openMs: 2000,
      commandRetriesMax: AGAIN_AND_AGAIN,
      commandTimeoutMs: 5000,
    },
  });
}

/** Follows a task to its end; `onFact` is called with the number of facts so far. */
async function follow(
  client: TaskBridgeClient,
  taskId: string,
  onFact: (count: number, fact: Log[number]) => void = () => undefined,
): Promise<Log> {
  const log: Log[number][] = [];
  for await (const fact of client.observe(taskId)) {
    log.push(fact);
    onFact(log.length, fact);
  }
  return log;
}

const questionOf = (fact: Log[number]) => (fact as Fact<'TASK_SUSPENDED'>).payload.suspendId;

describe('two nodes on one Redis', () => {
  let redis: RedisServer;
  let a: NodeProcess;
  let b: NodeProcess;
  let balancer: ChaosProxy;
  let onA: TaskBridgeClient;
  let onB: TaskBridgeClient;
  let onBoth: TaskBridgeClient;

  beforeAll(async () => {
    redis = await startRedis('--appendonly', 'yes', '--appendfsync', 'always');
    [a, b] = await Promise.all([startNode(redis.port), startNode(redis.port)]);
    // Each connection goes to the next node that takes it.
    let turn = 0;
    balancer = await chaosProxy({ target: () => ((turn += 1) % 2 === 0 ? [a, b] : [b, a]) });
  });
  beforeEach(() => {
    [onA, onB, onBoth] = [clientOf(a.url), clientOf(b.url), clientOf(balancer.url)];
  });
  afterEach(() => Promise.all([onA, onB, onBoth].map((client) => client.close())));
  afterAll(async () => {
    await balancer.close();
    await Promise.all([a.kill(), b.kill()]);
    await redis.stop();
  });

  it('creates on one, watches on the other, answers on the first', async () => {
    const { taskId } = await onA.start({ taskType: 'count', input: { to: STEPS } });
    const log = await follow(onB, taskId, (_, fact) => {
      if (fact.type === 'TASK_SUSPENDED') void onA.act(taskId, { suspendId: questionOf(fact), actionType: 'yes' });
    });
    proveWhole(log, STEPS);
  });

  it('answers on the node that does not run the work', async () => {
    const { taskId } = await onA.start({ taskType: 'count', input: { to: STEPS } });
    const log = await follow(onA, taskId, (_, fact) => {
      if (fact.type === 'TASK_SUSPENDED') void onB.act(taskId, { suspendId: questionOf(fact), actionType: 'yes' });
    });
    proveWhole(log, STEPS);
  });

  it('cancels on the node that does not run the work, which hears of it at once', async () => {
    const { taskId } = await onA.start({ taskType: 'wait' });
    const log = await follow(onA, taskId, (_, fact) => {
      if (fact.type === 'TASK_STARTED') void onB.cancel(taskId, 'enough');
    });
    expect(log.map(({ type }) => type)).toEqual(['TASK_STARTED', 'TASK_CANCEL_REQUESTED', 'TASK_CANCELLED']);
  });

  it('gives one task to 20 creates of one request on both', async () => {
    const request = { taskType: 'count', input: { to: 4, ask: false }, clientRequestId: 'the same' };
    const made = await Promise.all(Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? onA : onB).start(request)));
    expect(new Set(made.map(({ taskId }) => taskId)).size).toBe(1);
    expect(made.filter(({ deduplicated }) => !deduplicated)).toHaveLength(1);
    proveWhole(await follow(onB, made[0]?.taskId ?? ''), 4);
  });

  describe(`one of them killed (SEED=${SEED})`, () => {
    const random = seededRandom(SEED);
    const kills = Array.from({ length: KILLS }, (_, i) => ({
      kill: i + 1,
      atFact: random.below(FACTS),
      victim: random.odds(0.5) ? 'A' : 'B',
    }));
    it.each(kills)('ends with the complete log, nothing twice: kill $kill, of $victim at fact $atFact', async ({ atFact, victim }) => {
      const node = victim === 'A' ? a : b;
      const killAndRestart = async () => {
        await node.kill();
        await node.restart();
      };
      const { taskId } = await onBoth.start({ taskType: 'count', input: { to: STEPS } });
      let restarted = atFact === 0 ? killAndRestart() : undefined;
      const log = await follow(onBoth, taskId, (count, fact) => {
        if (count === atFact) restarted = killAndRestart();
        if (fact.type === 'TASK_SUSPENDED') void onBoth.act(taskId, { suspendId: questionOf(fact), actionType: 'yes' });
      });
      await restarted;
      proveWhole(log, STEPS);
      expect(await follow(onBoth, taskId)).toEqual(log);
    });
  });

  it('takes the work over from a node that is frozen past its lease, and nothing from it when it wakes', async () => {
    const { taskId } = await onA.start({ taskType: 'count', input: { to: STEPS, paceMs: 50, ask: false } });
    let thawed = false;
    const log = await follow(onB, taskId, (count) => {
      if (count === 5) a.freeze();
      // The other node goes on from here.
      if (count === 20) {
        a.thaw();
        thawed = true;
      }
    });
    expect(thawed).toBe(true);
    proveWhole(log, STEPS);
    await vi.waitFor(() => expect(a.stopped).toContainEqual({ stopped: taskId, attempt: 1 }));
    expect(await follow(onA, taskId)).toEqual(log);
  });

  it('goes on after Redis was killed and started again, with everything that was acknowledged', async () => {
    const { taskId } = await onA.start({ taskType: 'count', input: { to: STEPS, paceMs: 20, ask: false } });
    let restarted: Promise<void> | undefined;
    const log = await follow(onB, taskId, (count) => {
      if (count === 10)
        restarted = (async () => {
          await redis.kill();
          await redis.restart();
        })();
    });
    await restarted;
    proveWhole(log, STEPS);
    expect(await follow(onA, taskId)).toEqual(log);
  });

  it('goes on after Redis stood still for ten seconds', async () => {
    const { taskId } = await onA.start({ taskType: 'count', input: { to: STEPS, paceMs: 20, ask: false } });
    const log = await follow(onB, taskId, (count) => {
      if (count !== 10) return;
      redis.freeze();
      setTimeout(() => redis.thaw(), 10_000);
    });
    proveWhole(log, STEPS);
  });
});
