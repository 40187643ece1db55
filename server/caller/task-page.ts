import { taskListRequest, type TaskListRequest, type TaskListResponse } from '../../machines/lists/index.ts';
import type { TaskSnapshotResponse } from '../../machines/wire/index.ts';
import { validate } from '../http/validation.ts';
import type { AuthContext } from '../ports/auth.ts';
import type { TaskService } from '../task/service.ts';

/** A page of a caller's list, as an object. */
export async function taskPage(
  service: Pick<TaskService, 'list'>,
  auth: AuthContext,
  request: TaskListRequest | undefined,
): Promise<TaskListResponse> {
  const steps = service.list(auth, validate(taskListRequest, request ?? {}));
  const tasks: TaskSnapshotResponse[] = [];
  let nextAfter: string | null = null;
  for (let step = await steps.next(); !step.done; step = await steps.next()) {
    ({ nextAfter } = step.value);
    // Our own answer.
    if (step.value.json) tasks.push(JSON.parse(step.value.json.toString('utf8')) as TaskSnapshotResponse);
  }
  return { tasks, nextAfter };
}
