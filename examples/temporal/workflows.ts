/** The workflow of an expense: checks it, asks a manager where it is large, pays. Everything that touches the world is an activity. */
import { proxyActivities } from '@temporalio/workflow';
import { taskFailure, taskWorkflow } from 'taskbridge/adapters/temporal/workflow';
import type { activitiesOf } from './activities.ts';

const { check, pay } = proxyActivities<ReturnType<typeof activitiesOf>>({ startToCloseTimeout: '1 minute' });

export const expense = taskWorkflow(async (task) => {
  const { amount, purpose } = task.input;
  if (typeof amount !== 'number' || typeof purpose !== 'string')
    throw taskFailure('BAD_EXPENSE', 'An expense has an amount, a number, and a purpose, a text.');
  await task.progress(10, { stage: 'checking' });
  const { needsApproval } = await check(task.ref, amount);

  if (needsApproval) {
    await task.progress(50, { stage: 'waiting for a manager' });
    const { actionType, payload } = await task.suspend('approval', {
      reasonCode: 'LARGE_AMOUNT',
      allowedActions: ['approve', 'reject'],
      // A week, in which every process may be replaced and every machine.
      expiresInMs: 7 * 24 * 60 * 60 * 1000,
      interaction: { amount, purpose },
    });
    if (actionType === 'reject') return { paid: false, why: payload.why ?? 'rejected' };
  }

  await task.progress(80, { stage: 'paying' });
  // The task's id makes paying it twice impossible, however often the activity runs.
  const receipt = await pay(task.taskId, amount);
  return { paid: true, receipt };
});
