/** A program that uses the client where a host is: it starts a task, watches it through cuts, answers its question, and says what it saw. */
import { createTaskBridgeClient, isFact, type TransportName } from 'taskbridge/client';

const [baseUrl = '', transports = ''] = process.argv.slice(2);
const client = createTaskBridgeClient({
  baseUrl,
  transports: transports.split(',') as TransportName[],
  limits: { backoffBaseMs: 1, backoffMaxMs: 2, emptyPauseMs: 1 },
});
const { taskId } = await client.start({ taskType: 'count', input: { to: 6 } });
const observation = client.observe(taskId);
const ids: number[] = [];
for await (const fact of observation) {
  ids.push(Number(fact.eventId.split('-')[0]));
  if (isFact(fact, 'TASK_SUSPENDED')) await client.act(taskId, { suspendId: fact.payload.suspendId, actionType: 'left' });
}
const { task, connection } = observation.getSnapshot();
await client.close();
process.stdout.write(JSON.stringify({ ids, state: task.state, result: task.result, transport: connection.transport }));
