import { createTaskBridgeClient, TaskBridgeClientError, type TaskBridgeClient } from 'taskbridge/client/node';
import type { Creation, RunRecord, SentAction } from './run-record.ts';
import { create, outcomeOf } from './chaos-client.ts';
import { patience } from '../support/patience.ts';

const ENDED: readonly string[] = ['completed', 'failed', 'cancelled'];

/**
 * After the last fault: asks again what has no known outcome, answers what is still asked, cancels what waits for it, until every task has
 * ended or the time is over. Where tasks may be gone, whoever made one that is makes it again, under the same request id.
 */
export async function quiesce(record: RunRecord, baseUrl: string, withinMs: number, { mayBeGone = false } = {}): Promise<void> {
  const clients = new Map<string, TaskBridgeClient>();
  const of = (owner: string): TaskBridgeClient => {
    const known =
      clients.get(owner) ??
      createTaskBridgeClient({ baseUrl, auth: () => owner, limits: { commandTimeoutMs: patience(5000), commandRetriesMax: 20 } });
    clients.set(owner, known);
    return known;
  };
  const until = performance.now() + withinMs;
  const askedAgain = new Set<Creation | SentAction>();
  const settled = new Set<string>();
  /** One round over all that is known by now: what comes of a call that was on its way when the last fault ended is known later. */
  const isOpenAfterRound = async (): Promise<boolean> => {
    const { creations, actions } = record;
    const unknown = [...creations.filter((each) => each.unknown > 0), ...actions.filter(({ outcomes }) => outcomes.includes('unknown'))];
    for (const call of unknown.filter((each) => !askedAgain.has(each))) {
      askedAgain.add(call);
      if ('outcomes' in call) call.outcomes.push(await again(of(call.owner), call));
      else await create(of(call.owner), call);
    }
    let isOpen = creations.some(({ sent, answered, unknown: failed }) => sent > answered + failed);
    for (const creation of creations)
      for (const taskId of creation.taskIds) {
        if (settled.has(taskId)) continue;
        const state = await settle(record, of(creation.owner), creation, taskId);
        if (state !== 'open') settled.add(taskId);
        if (state === 'gone' && mayBeGone) await create(of(creation.owner), creation);
        isOpen ||= state === 'open' || [...creation.taskIds].some((each) => !settled.has(each));
      }
    return isOpen;
  };
  try {
    while ((await isOpenAfterRound()) && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 200));
  } finally {
    await Promise.all([...clients.values()].map((client) => client.close()));
  }
}

/** Answers what a task asks, and cancels what waits for that. Whether one may be gone is the judge's to say. */
async function settle(
  record: RunRecord,
  client: TaskBridgeClient,
  { owner, input }: Creation,
  taskId: string,
): Promise<'open' | 'ended' | 'gone'> {
  const snapshot = await client.get(taskId).catch(goneOrThrow);
  if (!snapshot) return 'gone';
  if (ENDED.includes(snapshot.state)) return 'ended';
  for (const { suspendId } of snapshot.suspensions) await answer(record, client, { owner, taskId }, suspendId);
  if (input.end === 'wait' && snapshot.progress?.progress === 100) await client.cancel(taskId);
  return 'open';
}

function goneOrThrow(error: unknown): undefined {
  if (error instanceof TaskBridgeClientError && error.status === 404) return undefined;
  throw error;
}

function again(client: TaskBridgeClient, { taskId, suspendId, clientActionId, actionType, payload }: SentAction): Promise<string> {
  return outcomeOf(client.act(taskId, { suspendId, clientActionId, actionType, payload: { ...payload } }));
}

async function answer(
  record: RunRecord,
  client: TaskBridgeClient,
  { owner, taskId }: { readonly owner: string; readonly taskId: string },
  suspendId: string,
): Promise<void> {
  const action: SentAction = {
    owner,
    taskId,
    suspendId,
    clientActionId: `quiesce-${taskId}-${suspendId}`,
    actionType: 'yes',
    payload: { by: 'settle' },
    sentAt: performance.now(),
    outcomes: [],
  };
  record.actions.push(action);
  action.outcomes.push(await again(client, action));
}
