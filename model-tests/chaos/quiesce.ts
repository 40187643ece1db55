import { createTaskBridgeClient, TaskBridgeClientError, type TaskBridgeClient } from 'taskbridge/client/node';
import type { RunRecord, SentAction } from './run-record.ts';
import { create, outcomeOf } from './chaos-client.ts';
import { patience } from '../support/patience.ts';

const ENDED: readonly string[] = ['completed', 'failed', 'cancelled'];

/**
 * After the last fault: asks again what has no known outcome, answers what is still asked, cancels what waits for it, until every task has
 * ended or the time is over.
 */
export async function quiesce(record: RunRecord, baseUrl: string, withinMs: number): Promise<void> {
  const clients = new Map<string, TaskBridgeClient>();
  const of = (owner: string): TaskBridgeClient => {
    const known =
      clients.get(owner) ??
      createTaskBridgeClient({ baseUrl, auth: () => owner, limits: { commandTimeoutMs: patience(5000), commandRetriesMax: 20 } });
    clients.set(owner, known);
    return known;
  };
  const until = performance.now() + withinMs;
  try {
    for (const creation of record.creations) if (creation.unknown > 0) await create(of(creation.owner), creation);
    for (const action of record.actions)
      if (action.outcomes.includes('unknown')) action.outcomes.push(await again(of(action.owner), action));
    let open = record.creations.flatMap(({ owner, input, taskIds }) => [...taskIds].map((taskId) => ({ owner, input, taskId })));
    while (open.length > 0 && performance.now() < until) {
      const still: typeof open = [];
      for (const task of open) {
        const client = of(task.owner);
        const snapshot = await client.get(task.taskId).catch(goneOrThrow);
        // Whether it may be gone is the judge's to say.
        if (!snapshot) continue;
        if (ENDED.includes(snapshot.state)) continue;
        still.push(task);
        for (const { suspendId } of snapshot.suspensions) await answer(record, client, task, suspendId);
        if (task.input.end === 'wait' && snapshot.progress?.progress === 100) await client.cancel(task.taskId);
      }
      open = still;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  } finally {
    await Promise.all([...clients.values()].map((client) => client.close()));
  }
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
    outcomes: [],
  };
  record.actions.push(action);
  action.outcomes.push(await again(client, action));
}
