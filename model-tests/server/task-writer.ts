import { emptyAggregate } from '../../machines/index.ts';
import { emptyExecutionRecord } from '../../server/attempt/execution-record.ts';
import type { Store } from '../../server/index.ts';
import { initialFields, type TaskRecord } from '../../server/task/task-record.ts';
import type { UnitOfWork } from '../../server/task/unit-of-work.ts';
import { commandProcessorOn } from './commit-path.ts';

/** A task that nobody runs: a test decides what its work says. */
export interface WrittenTask {
  readonly taskId: string;
  execute<A>(decide: (unit: UnitOfWork) => A): Promise<A>;
  read(): Promise<TaskRecord>;
}

const silent = { warn: () => undefined, error: () => undefined };
let tasks = 0;

/** Creates a task in a store, past all doors. */
export async function writtenTask(store: Store): Promise<WrittenTask> {
  const taskId = (tasks += 1).toString(16).padStart(32, '0');
  const about = { taskId, taskType: 'work', clientRequestId: 'r', owner: 'ann', contentHash: 'c', requestKey: taskId, createdAt: 0 };
  await store.create({
    ...{ taskId, requestKey: taskId, owner: 'ann', taskType: 'work', sideValues: {}, plan: { wakeAt: null, work: null } },
    ...{ fields: initialFields(about, emptyAggregate, emptyExecutionRecord), state: 'accepted', adds: {}, sharesMax: {} },
  });
  const processor = commandProcessorOn(store, { logger: silent });
  return { taskId, execute: (decide) => processor.execute(taskId, { decide }), read: () => processor.read(taskId) };
}
