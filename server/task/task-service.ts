import type { TaskTypeDescription } from '../../machines/contract/index.ts';
import type { Intent } from '../../machines/index.ts';
import type { CancelTaskResponse } from '../../machines/wire/index.ts';
import { mayAccess } from '../access/ownership.ts';
import { describedType } from '../contract/types-answer.ts';
import { refusedTask, unhandled } from '../contract/refusals.ts';
import { storeUnavailable, taskNotFound } from '../errors.ts';
import type { AuthContext, TaskAccess } from '../ports/auth.ts';
import { listTasks } from '../lists/task-list.ts';
import { actionIntent, submitAction } from './submit-action.ts';
import { requestKeyOf } from './content-hash.ts';
import { refusedCreate } from './create-decision.ts';
import { createTask } from './create-task.ts';
import { asTaskBridgeError } from './command-processor.ts';
import { refusedIntent } from './early-decision.ts';
import type { TaskAbout } from './about.ts';
import { openableAttachment } from './open-attachment.ts';
import { removeForCaller } from './remove-task.ts';
import { retryTask } from './retry-task.ts';
import type { TaskServiceDeps } from './task-service-deps.ts';
import type { TaskService } from './service.ts';
import { partText } from '../parts/part-text.ts';
import { SnapshotCache } from './snapshot-cache.ts';
import type { TaskRecord } from './task-record.ts';

const TASK_ID = /^[0-9a-f]{32}$/;
const PART_TRIES_MAX = 5;

/** Makes the one way in for routes and sockets. */
export function createTaskService(deps: TaskServiceDeps): TaskService {
  const { processor, store, supervisor, chance, ownership, settings, contracts } = deps;

  /** Of tasks whose logs were read last. */
  const abouts = new Map<string, TaskAbout>();
  const snapshots = new SnapshotCache(store);

  async function assertVisible(auth: AuthContext, about: TaskAbout, access: TaskAccess = 'read'): Promise<void> {
    const may = mayAccess(ownership, auth, about, access);
    if (!(typeof may === 'boolean' ? may : await may)) throw taskNotFound(about.taskId);
  }

  async function visible(auth: AuthContext, taskId: string, access?: TaskAccess): Promise<TaskRecord> {
    if (!TASK_ID.test(taskId)) throw taskNotFound(taskId);
    const state = await processor.read(taskId);
    await assertVisible(auth, state.about, access);
    return state;
  }

  async function readable(auth: AuthContext, taskId: string): Promise<TaskAbout> {
    const known = abouts.get(taskId);
    if (known) {
      // Most policies answer at once, and most polls are of a task that is known.
      const may = mayAccess(ownership, auth, known, 'read');
      if (!(typeof may === 'boolean' ? may : await may)) throw taskNotFound(taskId);
      return known;
    }
    const { about } = await visible(auth, taskId);
    abouts.set(taskId, about);
    const [oldest] = abouts.keys();
    if (oldest !== undefined && abouts.size > settings.hotTasksMax) abouts.delete(oldest);
    return about;
  }

  const newTaskId = (auth: AuthContext, clientRequestId: string): string =>
    requestKeyOf(auth.subject, clientRequestId).slice(0, 2) + chance.hex(30);

  return {
    newTaskId,
    assertHandled(auth, taskType, clientRequestId = '') {
      if (supervisor.executorOf(taskType)) return;
      throw refusedCreate(
        deps,
        auth,
        { taskId: newTaskId(auth, clientRequestId), taskType, clientRequestId },
        refusedTask([unhandled(taskType)]),
      );
    },
    async types(auth) {
      const types: TaskTypeDescription[] = [];
      for (const taskType of contracts.names())
        if ((await ownership.refuseCreate?.(auth, { taskType, metadata: {} })) === undefined)
          types.push(describedType(taskType, contracts.typeOf(taskType)));
      return { types };
    },
    create: (auth, request, uploads) => createTask(deps, auth, request, uploads),
    retry: (auth, request, uploads) => retryTask(deps, auth, request, () => visible(auth, request.retryOf, 'write'), uploads),
    authorize: (auth, taskId, isReadNext = false) =>
      isReadNext ? readable(auth, taskId) : visible(auth, taskId).then(({ about }) => about),
    forget: (taskId) => void abouts.delete(taskId),
    snapshot: (auth, taskId) => whileParts(async (isLastTry) => snapshots.of(await visible(auth, taskId), isLastTry)),
    partText: (auth, taskId, partNumber, range) => whileParts(async () => partText(await visible(auth, taskId), store, partNumber, range)),
    attachment: async (auth, taskId, name) => openableAttachment(deps, (await visible(auth, taskId)).about.taskId, name),
    list: (auth, query) => listTasks(deps, auth, query),
    cancel: (auth, taskId, reason) => cancelTask(deps, auth, taskId, reason),
    async remove(auth, taskId) {
      if (!TASK_ID.test(taskId)) return;
      await removeForCaller(deps, auth, taskId);
      abouts.delete(taskId);
    },
    act: async (auth, taskId, action) =>
      submitAction(deps, auth, await changeable(deps, auth, taskId, () => actionIntent(deps, action)), action),
  };
}

/** Reads what has parts: one that was closed between two reads of the store has it read again. */
async function whileParts<T>(read: (isLastTry: boolean) => Promise<T | undefined>): Promise<T> {
  try {
    for (let tries = 1; tries <= PART_TRIES_MAX; tries++) {
      const found = await read(tries === PART_TRIES_MAX);
      if (found !== undefined) return found;
    }
  } catch (error) {
    throw asTaskBridgeError(error);
  }
  throw storeUnavailable(new Error('The parts of the task changed each time that they were read.'));
}

/**
 * The task as this node knows it, for whoever wishes for a change: where it has changed since, that shows then. That he may not is a decision, too.
 */
async function changeable(deps: TaskServiceDeps, auth: AuthContext, taskId: string, intent: () => Intent): Promise<TaskRecord> {
  if (!TASK_ID.test(taskId)) throw taskNotFound(taskId);
  const state = deps.processor.known(taskId) ?? (await deps.processor.read(taskId));
  if (await mayAccess(deps.ownership, auth, state.about, 'write')) return state;
  throw refusedIntent(deps, state, intent, taskNotFound(taskId));
}

async function cancelTask(
  deps: TaskServiceDeps,
  auth: AuthContext,
  taskId: string,
  reason: string | undefined,
): Promise<CancelTaskResponse> {
  const intent: Intent = reason === undefined ? { type: 'task.cancel' } : { type: 'task.cancel', reason };
  const seen = await changeable(deps, auth, taskId, () => intent);
  const { refusal, facts } = await deps.processor.execute(taskId, { source: deps.source, decide: (unit) => unit.decide(intent) }, seen);
  if (facts.length > 0) deps.metrics.incrementCounter('cancels_total');
  return { taskId, status: refusal === 'ALREADY_TERMINAL' ? 'ALREADY_TERMINAL' : 'CANCELLATION_REQUESTED' };
}
