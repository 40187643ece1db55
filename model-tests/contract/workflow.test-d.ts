import type { Client } from '@temporalio/client';
import { expectTypeOf } from 'vitest';
import { temporalExecutor } from 'taskbridge/adapters/temporal';
import { taskBridgeActivities } from 'taskbridge/adapters/temporal/activities';
import { taskWorkflow, type FlowTask } from 'taskbridge/adapters/temporal/workflow';
import { createTaskReporter } from 'taskbridge/server/reporter';
import type { Store } from 'taskbridge/server';
import { tasks } from './tasks.ts';

/** Never run: the compiler is the test, and what it must refuse is expected to be an error. */
export function workflows(client: Client, store: Store): void {
  taskWorkflow<typeof tasks, 'report.build'>(async (work) => {
    expectTypeOf(work.input).toEqualTypeOf<{ month: string; rows: number }>();
    const answer = await work.suspend('duplicates', { interaction: { samples: ['a'] }, expiresInMs: 1000 });
    if (answer.actionType === 'custom') expectTypeOf(answer.payload).toEqualTypeOf<{ column: string }>();
    const one = await work.suspend('duplicates:2', { interaction: { samples: [] }, allowedActions: ['custom'] });
    expectTypeOf(one.payload.column).toEqualTypeOf<string>();
    // @ts-expect-error a foreign question
    await work.suspend('other', {});
    // @ts-expect-error an interaction that is missing
    await work.suspend('duplicates', {});
    // @ts-expect-error a foreign action
    await work.suspend('sure', { allowedActions: ['no'] });
    return { rows: 1 };
  });
  // @ts-expect-error a type that the contract has not got
  taskWorkflow<typeof tasks, 'report.biuld'>(async () => ({ rows: 1 }));
  // @ts-expect-error a result of another shape
  taskWorkflow<typeof tasks, 'report.build'>(async () => ({ rows: 'many' }));
  // @ts-expect-error no result where one is promised
  taskWorkflow<typeof tasks, 'report.build'>(async () => undefined);

  const named = { client, taskQueue: 'work' };
  temporalExecutor({ ...named, contract: tasks, workflow: { 'report.build': 'built', echo: { workflow: 'echoed' } } });
  temporalExecutor({ ...named, contract: tasks, workflow: 'any' });
  // @ts-expect-error a workflow that is missing
  temporalExecutor({ ...named, contract: tasks, workflow: { echo: 'echoed' } });
  // @ts-expect-error a workflow that is foreign
  temporalExecutor({ ...named, contract: tasks, workflow: { 'report.build': 'built', echo: 'echoed', 'report.biuld': 'built' } });
  taskBridgeActivities(createTaskReporter({ store, contract: tasks }));

  // Without a contract, as ever.
  taskWorkflow(async (work) => {
    expectTypeOf(work).toEqualTypeOf<FlowTask>();
    await work.suspend('any', { reasonCode: 'ANY', allowedActions: ['ok'] });
  });
  temporalExecutor({ ...named, workflow: { any: 'any' } });
}
