import { proxyActivities } from '@temporalio/workflow';
import { taskWorkflow } from '../../../adapters/temporal/workflow/index.ts';
import type { activitiesOf } from './activities.ts';

const { reportOurs, reportBare } = proxyActivities<ReturnType<typeof activitiesOf>>({ startToCloseTimeout: '1 minute' });

/** The work of a task: one activity, which reports itself. */
export const measured = taskWorkflow(async (task) => {
  // What the host gives it.
  const { key, ms } = task.input as { readonly key: string; readonly ms: number };
  await reportOurs(task.ref, key, ms);
  return {};
});

/** The same work with nothing of ours around it. */
export async function bare(key: string, ms: number): Promise<void> {
  await reportBare(key, ms);
}
