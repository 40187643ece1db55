import { describe, expect, it, onTestFinished } from 'vitest';
import { inProcess } from 'taskbridge/adapters/in-process';
import { createTestBridge, simulatedClock, type TestBridgeOptions } from 'taskbridge/server/testing';

const HOUR_MS = 3_600_000;

async function testBridge(options: TestBridgeOptions = {}) {
  const test = await createTestBridge(options);
  onTestFinished(() => test.close());
  return { ...test, tasks: test.bridge.tasks({ subject: 'ada' }) };
}

describe('a bridge for tests', () => {
  it('plays a script to its end: by default two steps of progress', async () => {
    const { tasks, ended } = await testBridge({ work: { 'report.build': {} } });
    const { taskId } = await tasks.start({ clientRequestId: 'r', taskType: 'report.build' });
    expect(await ended('ada', taskId)).toMatchObject({ status: 'COMPLETED', result: {}, progress: { progress: 2 } });
    const { events } = await tasks.poll(taskId);
    expect(events.map(({ type, eventId, createdAt }) => [type, eventId, createdAt])).toEqual([
      ['TASK_STARTED', '1-1800000000000', '2027-01-15T08:00:00.000Z'],
      ['TASK_PROGRESS', '2-1800000000000', '2027-01-15T08:00:00.000Z'],
      ['TASK_PROGRESS', '3-1800000000000', '2027-01-15T08:00:00.000Z'],
      ['TASK_COMPLETED', '4-1800000000000', '2027-01-15T08:00:00.000Z'],
    ]);
  });

  it.each([0, 1, 2])('fails after %i steps, in the script’s words', async (failAfter) => {
    const { tasks, ended } = await testBridge({ work: { x: { failAfter, failure: { code: 'NO_PAPER', retryable: true } } } });
    const { taskId } = await tasks.start({ clientRequestId: 'r', taskType: 'x' });
    const failure = { code: 'NO_PAPER', message: `The script fails after ${failAfter} steps.`, retryable: true };
    expect(await ended('ada', taskId)).toMatchObject({ status: 'FAILED', failure });
    expect((await tasks.poll(taskId)).events).toHaveLength(failAfter + 2);
  });

  it('waits for an answer, which the result may have in it', async () => {
    const question = { reasonCode: 'WHICH', allowedActions: ['first', 'last'], expiresInMs: HOUR_MS };
    const { tasks, ended, advance } = await testBridge({
      work: { x: { steps: [{ message: 'Well?' }, { ask: 'which', question }], result: (answers) => answers['which']?.actionType ?? null } },
    });
    const { taskId } = await tasks.start({ clientRequestId: 'r', taskType: 'x' });
    await advance(HOUR_MS / 2);
    const suspendId = (await tasks.get(taskId)).suspensions[0]?.suspendId ?? '';
    await tasks.act(taskId, { clientActionId: 'a', suspendId, actionType: 'last' });
    expect(await ended('ada', taskId)).toMatchObject({ result: 'last' });
    const late = await tasks.start({ clientRequestId: 'r2', taskType: 'x' });
    await advance(2 * HOUR_MS);
    expect(await tasks.get(late.taskId)).toMatchObject({ failure: { code: 'SUSPENSION_EXPIRED' } });
  });

  it('takes as long as the script says, by its own clock, and is closed in the middle of it', async () => {
    const { tasks, advance, clock } = await testBridge({
      work: { x: { steps: [{ waitMs: HOUR_MS }, { progress: 50 }, { waitMs: HOUR_MS }] } },
    });
    const { taskId } = await tasks.start({ clientRequestId: 'r', taskType: 'x' });
    await advance(HOUR_MS - 1);
    expect((await tasks.get(taskId)).progress).toBe(null);
    await advance(1);
    expect((await tasks.get(taskId)).progress).toEqual({ progress: 50 });
    expect(clock.now()).toBe(1_800_000_000_000 + HOUR_MS);
  });

  it('runs handlers and executors of the host’s own by the same clock, with what it saves', async () => {
    const { tasks, ended } = await testBridge({
      work: { handled: async (task) => task.input['n'] ?? null, saving: { steps: [{ save: 7 }] } },
      executor: (clock) => inProcess({ dated: async () => clock.now() }, { clock }),
      startsAt: 5_000,
    });
    const results: unknown[] = [];
    for (const taskType of ['handled', 'saving', 'dated']) {
      const { taskId } = await tasks.start({ clientRequestId: taskType, taskType, input: { n: 3 } });
      results.push((await ended('ada', taskId)).result);
    }
    expect(results).toEqual([3, {}, 5_000]);
  });

  it('refuses a failure that no run comes to', async () => {
    await expect(createTestBridge({ work: { x: { failAfter: 3 } } })).rejects.toThrow('failAfter (3) must be a whole number from 0 to 2');
  });
});

describe('a simulated clock', () => {
  it('rings in order, each timer at its time, and those that are set meanwhile', async () => {
    const clock = simulatedClock(0);
    const rung: string[] = [];
    const ring = (name: string) => () => void rung.push(`${name} ${clock.now()}`);
    clock.setTimeout(ring('late'), 30);
    clock.setTimeout(() => {
      ring('first')();
      void Promise.resolve().then(() => clock.setTimeout(ring('set meanwhile'), 5));
    }, 10);
    clock.clearTimeout(clock.setTimeout(ring('never'), 1));
    clock.setTimeout(ring('too late'), 51);
    await clock.advance(50);
    expect(rung).toEqual(['first 10', 'set meanwhile 15', 'late 30']);
    expect([clock.now(), clock.monotonic?.()]).toEqual([50, 50]);
  });
});
