import { expectTypeOf } from 'vitest';
import { workerTask, type WorkerTask } from 'taskbridge/adapters/worker';
import { createTaskReporter, type TaskReporter } from 'taskbridge/server/reporter';
import type { Store } from 'taskbridge/server';
import { tasks } from './tasks.ts';

/** Never run: the compiler is the test, and what it must refuse is expected to be an error. */
export async function worker(store: Store): Promise<void> {
  const reporter = createTaskReporter({ store, contract: tasks });
  const report = await workerTask(reporter, { taskId: 't', taskType: 'report.build' });
  expectTypeOf(report.input).toEqualTypeOf<{ month: string; rows: number }>();
  const answer = await report.suspend('duplicates', { interaction: { samples: ['a'] } });
  if (answer.actionType === 'custom') expectTypeOf(answer.payload).toEqualTypeOf<{ column: string }>();
  await report.complete({ rows: 1 });
  // @ts-expect-error a foreign question
  await report.suspend('other', {});
  // @ts-expect-error a result of another shape
  await report.complete({ rows: 'many' });
  // @ts-expect-error no result where one is promised
  await report.complete();
  // @ts-expect-error a type that the contract has not got
  await workerTask(reporter, { taskId: 't', taskType: 'report.biuld' }).then(({ complete }) => complete({ rows: 1 }));

  // Where the type is one of several, the task says which.
  const any = await workerTask(reporter, { taskId: 't', taskType: Math.random() > 0.5 ? 'echo' : 'report.build' });
  if (any.taskType === 'report.build') await any.complete({ rows: any.input.rows });
  // @ts-expect-error a result of one type for another
  else await any.complete({ rows: () => 1 });

  // Without a contract, or without a type, as ever.
  expectTypeOf(await workerTask(createTaskReporter({ store }), { taskId: 't', attempt: 1 })).toEqualTypeOf<WorkerTask>();
  expectTypeOf(await workerTask(reporter, { taskId: 't' })).toEqualTypeOf<WorkerTask>();
  expectTypeOf(reporter).toExtend<TaskReporter>();
}
