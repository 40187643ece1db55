import { proxyActivities, sleep } from '@temporalio/workflow';
import { taskWorkflow } from '../../../adapters/temporal/workflow/index.ts';
import type { AttemptRef } from '../../../server/reporter/index.ts';

const { work } = proxyActivities<{ work(ref: AttemptRef, step: number): Promise<string> }>({
  startToCloseTimeout: '2 seconds',
  retry: { initialInterval: '100 milliseconds', maximumInterval: '1 second' },
});

/** Goes on in a new run after each of its rounds; asks before the first one ends, and reads the answer in the last. */
export const rounds = taskWorkflow(async (task) => {
  const round = Number(task.carried ?? 1);
  await task.progress(round * 10);
  const question = { reasonCode: 'ROUNDS', allowedActions: ['ok'] };
  if (round === 2) void task.suspend('early', question).catch(() => undefined);
  if (round < 4) return task.continueAsNew(round + 1);
  const { payload } = await task.suspend('early', question);
  return { round, payload };
});

/** Works in activities, `input.to` of them; asks a person in between. */
export const steps = taskWorkflow(
  async (task) => {
    const to = Number(task.input.to ?? 5);
    const done: string[] = [];
    for (let step = 1; step <= to; step++) {
      done.push(await work(task.ref, step));
      await task.progress((step * 100) / to, { stage: `step ${step}` });
      if (step === Math.ceil(to / 2)) await task.suspend('go-on', { reasonCode: 'GO_ON', allowedActions: ['yes'] });
    }
    return { done };
  },
  { reportTimeoutMs: 2000 },
);

/** Has an activity tell `input.words` words; `input.heartbeatMs` after it was last heard of, it is run again. */
export const told = taskWorkflow(async (task) => {
  const { tell } = proxyActivities<{ tell(ref: AttemptRef, words: number, lastTry: number): Promise<string> }>({
    startToCloseTimeout: '10 minutes',
    heartbeatTimeout: Number(task.input.heartbeatMs),
    retry: { initialInterval: '100 milliseconds', maximumInterval: '1 second' },
  });
  return tell(task.ref, Number(task.input.words), Number(task.input.lastTry));
});

/** Has an activity take a step, in its first run and in the one that goes on from it. */
export const followed = taskWorkflow(async (task) => {
  const { step } = proxyActivities<{ step(ref: AttemptRef): Promise<void> }>({ startToCloseTimeout: '10 seconds' });
  await step(task.ref);
  if (task.carried === undefined) return task.continueAsNew('again');
  return 'followed';
});

/** Never ends by itself. */
export const endless = taskWorkflow(async (task) => {
  await task.progress(1);
  await sleep('1 hour');
});

/** Waits hardly at all to be told that another attempt counts. */
export const impatient = taskWorkflow(
  async (task) => {
    await task.progress(1);
  },
  { fencedTimeoutMs: 100 },
);

/** Breaks in an activity. */
export const breaking = taskWorkflow(async (task) => {
  const { broken } = proxyActivities<{ broken(): Promise<void> }>({ startToCloseTimeout: '5 seconds', retry: { maximumAttempts: 2 } });
  await task.progress(5);
  await broken();
});

/** Says a lot at once and waits for none of it. */
export const talkative = taskWorkflow((task) => {
  for (let i = 1; i <= 900; i++) void task.message(`message ${i}`);
  void task.progress(50);
  return Promise.resolve('said');
});

/** Says what no log takes; waits for it, or not, as its input says. */
export const refused = taskWorkflow(async (task) => {
  const said = task.message('Hello.', 'loud' as never);
  if (task.input.hears === true) await said.catch(() => undefined);
  // Apart from its end, which would be refused with it.
  await sleep(1);
  return 'done';
});

/** Knows nothing of us: its result completes its task. */
export async function plain(input: { readonly input: { readonly n: number } }): Promise<number> {
  await sleep(1);
  return input.input.n * 2;
}
