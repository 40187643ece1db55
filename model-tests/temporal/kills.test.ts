import { createTaskBridgeClient, type TaskBridgeClient } from 'taskbridge/client/node';
import type { Fact } from 'taskbridge/wire';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { proveWhole, type Log } from '../redis/proof.ts';
import { seededRandom } from '../support/seeded-random.ts';
import type { RunningProcess } from '../support/child-process.ts';
import type { TemporalServer } from './dev-server.ts';
import { startTemporalProcesses, type TemporalProcesses } from './temporal-processes.ts';
import { AGAIN_AND_AGAIN, patience } from '../support/patience.ts';

/** `KILLS=20 npx vitest run model-tests/temporal/kills` for more of them; `SEED` to see the same moments again. */
const KILLS = Number(process.env['KILLS'] ?? 3);
const SEED = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
const STEPS = 8;
/** Facts of an undisturbed run: its steps, the start, the question, the answer, the end. */
const FACTS = STEPS + 4;

describe(`a workflow's task, seed ${SEED}`, { timeout: patience(180_000) }, () => {
  let processes: TemporalProcesses;
  let client: TaskBridgeClient;
  let onWorking: (step: number) => void = () => undefined;

  beforeAll(async () => {
    processes = await startTemporalProcesses((message) => onWorking((message as { readonly working: number }).working));
    client = createTaskBridgeClient({
      baseUrl: processes.baseUrl,
      limits: {
        backoffBaseMs: 50,
        backoffMaxMs: 300,
        climbIntervalMs: 500,
        openMs: 2000,
        commandRetriesMax: AGAIN_AND_AGAIN,
        commandTimeoutMs: 5000,
      },
    });
  }, patience(120_000));

  afterAll(async () => {
    await client?.close();
    await processes?.close();
  });

  /** Follows one task to its end, answers its question, and calls `onFact` with the number of facts so far. */
  async function follow(onFact: (count: number, fact: Log[number]) => void): Promise<Log> {
    const { taskId } = await client.start({ taskType: 'steps', input: { to: STEPS } });
    const log: Log[number][] = [];
    const acts: Promise<unknown>[] = [];
    for await (const fact of client.observe(taskId)) {
      log.push(fact);
      if (fact.type === 'TASK_SUSPENDED') acts.push(client.act(taskId, answerTo(fact)));
      onFact(log.length, fact);
    }
    await Promise.all(acts);
    return log;
  }

  /** Kills something and starts it again; resolves when it is back. */
  async function killAndRestart(victim: RunningProcess | TemporalServer): Promise<void> {
    await victim.kill();
    await victim.restart();
  }

  function prove(log: Log): void {
    proveWhole(log, STEPS);
    expect(log).toHaveLength(FACTS);
    expect(log.at(-1)?.payload).toEqual({ result: { done: Array.from({ length: STEPS }, (_, i) => `did ${i + 1}`) } });
  }

  async function killedAt(atFact: number, afterMs: number, victims: () => (RunningProcess | TemporalServer)[]): Promise<void> {
    const restarts: Promise<void>[] = [];
    const log = await follow((count) => {
      if (count !== atFact) return;
      restarts.push(
        new Promise((resolve) => setTimeout(resolve, afterMs)).then(async () => void (await Promise.all(victims().map(killAndRestart)))),
      );
    });
    await Promise.all(restarts);
    prove(log);
  }

  it('is whole without any kill', async () => prove(await follow(() => undefined)));

  const randomly = (who: string) => {
    const random = seededRandom(`${SEED}/${who}`);
    return Array.from({ length: KILLS }, (_, i) => ({ kill: i + 1, atFact: random.between(1, FACTS - 2), afterMs: random.below(40) }));
  };

  it.each(randomly('worker').slice(0, KILLS > 3 ? KILLS : 1))(
    'is whole when its worker is killed $afterMs ms after fact $atFact (kill $kill)',
    ({ atFact, afterMs }) => killedAt(atFact, afterMs, () => [processes.worker]),
  );

  // An activity works for 20 ms.
  const working = randomly('activity').map(({ kill, atFact, afterMs }) => ({ kill, step: 1 + (atFact % STEPS), afterMs: afterMs >> 1 }));
  it.each(working)(
    'is whole when its worker is killed $afterMs ms into the activity of step $step (kill $kill)',
    async ({ step, afterMs }) => {
      let restart: Promise<void> | undefined;
      onWorking = (now) => {
        if (now === step) restart ??= new Promise((resolve) => setTimeout(resolve, afterMs)).then(() => killAndRestart(processes.worker));
      };
      const log = await follow(() => undefined);
      onWorking = () => undefined;
      expect(restart).toBeDefined();
      await restart;
      prove(log);
    },
  );

  it.each(randomly('Temporal'))('is whole when Temporal is killed $afterMs ms after fact $atFact (kill $kill)', ({ atFact, afterMs }) =>
    killedAt(atFact, afterMs, () => [processes.temporal]),
  );

  // Its question is the fact before the answer: the answer is under way when the host dies.
  const answering = randomly('host').map(({ kill, afterMs }) => ({ kill, afterMs: afterMs >> 1 }));
  it.each(answering)('is whole when its host is killed $afterMs ms after the answer was sent (kill $kill)', ({ afterMs }) =>
    killedAt(STEPS / 2 + 2, afterMs, () => [processes.host]),
  );

  it.each(randomly('all').slice(0, 1))(
    'is whole when all three are killed at once, $afterMs ms after fact $atFact',
    ({ atFact, afterMs }) => killedAt(atFact, afterMs, () => [processes.worker, processes.temporal, processes.host]),
  );
});

function answerTo(fact: Log[number]) {
  const { suspendId } = (fact as Fact<'TASK_SUSPENDED'>).payload;
  return { suspendId, actionType: 'yes' };
}
