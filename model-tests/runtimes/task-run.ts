import { createTaskBridgeClient, isFact, type TaskBridgeClientOptions } from 'taskbridge/client';

/** Starts a task where a counting host is, or takes this one, watches it through cuts, answers its question, and says what it saw. */
export async function wholeLife(options: Pick<TaskBridgeClientOptions, 'baseUrl' | 'transports' | 'sockets'>, known?: string) {
  const client = createTaskBridgeClient({ ...options, limits: { backoffBaseMs: 1, backoffMaxMs: 2, emptyPauseMs: 1 } });
  const taskId = known ?? (await client.start({ taskType: 'count', input: { to: 6 } })).taskId;
  const observation = client.observe(taskId);
  const ids: number[] = [];
  for await (const fact of observation) {
    ids.push(Number(fact.eventId.split('-')[0]));
    if (isFact(fact, 'TASK_SUSPENDED')) await client.act(taskId, { suspendId: fact.payload.suspendId, actionType: 'left' });
  }
  const { task, connection } = observation.getSnapshot();
  await client.close();
  return { ids, state: task.state, result: task.result, transport: connection.transport };
}

/** What has to be seen. */
export const wholeLifeSeen = { ids: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], state: 'completed', result: { went: 'left' } } as const;
