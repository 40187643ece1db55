import { decide, type Aggregate, type Intent, type RefusalCode } from '../../machines/index.ts';
import type { CallerTasks } from '../caller/caller-tasks.ts';
import type { ServerChance } from '../ports/chance.ts';
import type { TaskRequest } from './task-actor.ts';

/** The two verbs of a caller that change a task. */
export type TaskVerbs = Pick<CallerTasks, 'act' | 'cancel'>;

/** Asks the charts what would become of a request: true where a fact would. */
export function wouldTake(aggregate: Aggregate, request: TaskRequest, at: string): boolean {
  const intent = intentOf(request, at);
  if (!intent) return false;
  const { facts, refusal } = decide(aggregate, intent);
  return refusal === undefined && facts.length > 0;
}

function intentOf(request: TaskRequest, at: string): Intent | undefined {
  if (request.type === 'task.cancel') return request;
  // Without TypeScript anything may be asked.
  if ((request as { readonly type: string }).type !== 'action.submit') return undefined;
  const { suspendId, actionType, clientActionId = '' } = request;
  return { type: 'action.submit', suspendId, actionType, clientActionId, at };
}

/** Takes a request through the commit path; gives why it became no fact, where it did not. Rejects as the verbs do. */
export async function commitRequest(
  verbs: TaskVerbs,
  taskId: string,
  request: TaskRequest,
  chance: ServerChance,
): Promise<RefusalCode | undefined> {
  if (request.type === 'task.cancel') {
    const { status } = await verbs.cancel(taskId, request.reason);
    return status === 'ALREADY_TERMINAL' ? status : undefined;
  }
  const { type: _, clientActionId = chance.hex(32), ...action } = request;
  const { status } = await verbs.act(taskId, { ...action, clientActionId });
  return status === 'ACCEPTED' ? undefined : status;
}
