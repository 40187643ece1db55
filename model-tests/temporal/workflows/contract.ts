import { sleep } from '@temporalio/workflow';
import { taskWorkflow } from '../../../adapters/temporal/workflow/index.ts';
import type { tasks } from '../../contract/tasks.ts';

/** Asks what its contract has, unless its month says what it is to do wrong. */
export const built = taskWorkflow<typeof tasks, 'report.build'>(async (task) => {
  const { month, rows } = task.input;
  // What no compiler lets through.
  if (month === 'foreign question') await task.suspend('other' as 'sure', {});
  if (month === 'foreign action') await task.suspend('sure', { allowedActions: ['no' as 'yes'] });
  if (month === 'interaction') await task.suspend('duplicates', { interaction: { samples: [1 as never] } });
  if (month === 'result') return { rows: 'many' as never };
  await task.suspend('sure', {});
  const answer = await task.suspend('duplicates:2', { interaction: { samples: [month] } });
  return { rows, kept: answer.actionType === 'custom' ? answer.payload.column : 'first' };
});

export const echoed = taskWorkflow<typeof tasks, 'echo'>(async ({ input }) => {
  await sleep(1);
  return input;
});
