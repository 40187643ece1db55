import { mayAccess } from '../access/ownership.ts';
import { TaskBridgeError, taskNotFound } from '../errors.ts';
import type { AuthContext, TaskAccess } from '../ports/auth.ts';
import { submitAction } from './submit-action.ts';
import { requestKeyOf } from './content-hash.ts';
import { createTask } from './create-task.ts';
import { asTaskBridgeError } from './command-processor.ts';
import type { TaskServiceDeps } from './task-service-deps.ts';
import type { TaskService } from './service.ts';
import { snapshotOf } from './snapshot.ts';
import type { TaskRecord } from './task-record.ts';

const TASK_ID = /^[0-9a-f]{32}$/;

/** Makes the one way in for routes and sockets. */
export function createTaskService(deps: TaskServiceDeps): TaskService {
  const { processor, store, supervisor, chance, metrics, ownership, source } = deps;

  async function visible(auth: AuthContext, taskId: string, access: TaskAccess): Promise<TaskRecord> {
    if (!TASK_ID.test(taskId)) throw taskNotFound(taskId);
    const state = await processor.read(taskId);
    if (!(await mayAccess(ownership, auth, state.about, access))) throw taskNotFound(taskId);
    return state;
  }

  return {
    newTaskId: (auth, clientRequestId) => requestKeyOf(auth.subject, clientRequestId).slice(0, 2) + chance.hex(30),
    assertHandled(taskType) {
      if (supervisor.executorOf(taskType)) return;
      const reason = `names a type that this server does not run: ${JSON.stringify(taskType.slice(0, 64))}`;
      throw new TaskBridgeError('REQUEST_VALIDATION_ERROR', `taskType ${reason}.`, { details: { errors: [{ path: 'taskType', reason }] } });
    },
    create: (auth, request, uploads) => createTask(deps, auth, request, uploads),
    authorize: async (auth, taskId) => (await visible(auth, taskId, 'read')).about,
    async snapshot(auth, taskId) {
      const state = await visible(auth, taskId, 'read');
      try {
        return await snapshotOf(state, store);
      } catch (error) {
        throw asTaskBridgeError(error);
      }
    },
    async cancel(auth, taskId, reason) {
      await visible(auth, taskId, 'write');
      const { refusal, facts } = await processor.execute(taskId, {
        source,
        decide: (unit) => unit.decide(reason === undefined ? { type: 'task.cancel' } : { type: 'task.cancel', reason }),
      });
      if (facts.length > 0) metrics.incrementCounter('cancels_total');
      return { taskId, status: refusal === 'ALREADY_TERMINAL' ? 'ALREADY_TERMINAL' : 'CANCELLATION_REQUESTED' };
    },
    act: async (auth, taskId, action) => submitAction(deps, auth, (await visible(auth, taskId, 'write')).about, action),
  };
}
