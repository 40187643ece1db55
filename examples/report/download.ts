import type { TaskBridgeClient } from 'taskbridge/client/node';

/** Asks for a file that a task has made. */
export function downloadCleaned(
  client: Pick<TaskBridgeClient, 'attachmentUrl'>,
  taskId: string,
  name: string,
  token: string,
): Promise<Response> {
  return fetch(client.attachmentUrl(taskId, name), { headers: { authorization: `Bearer ${token}` } });
}
