import { scriptedTransports } from 'taskbridge/client/testing';
import { createTaskBridgeClient } from 'taskbridge/react-native';

const server = scriptedTransports();
const client = createTaskBridgeClient({ baseUrl: server.baseUrl, intercept: server.intercept });

const { taskId } = await client.start({ taskType: 'report.build', input: { month: '2026-01' } });
export const task = server.task(taskId);
task.report({ type: 'report.started', payload: {} });
task.report({ type: 'report.progress', payload: { progress: 40 } });
server.cut(); // a tunnel
task.report({
  type: 'report.suspended',
  payload: { suspendId: 'q', kind: 'USER_ACTION_REQUIRED', reasonCode: 'PICK', allowedActions: ['left', 'right'], schemaVersion: 1 },
});
// The screen shows the question; the person answers.
await client.act(taskId, { suspendId: 'q', actionType: 'left' });
console.log(task.answers);
task.report({ type: 'report.completed', payload: { result: { pages: 3 } } });
