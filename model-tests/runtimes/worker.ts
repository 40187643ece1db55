/** A worker that uses the client: each request says for which server, and is answered with what became of it. */
import { createTaskBridgeClient, type TaskBridgeClientOptions } from 'taskbridge/client';

async function live(options: Pick<TaskBridgeClientOptions, 'baseUrl' | 'transports'>): Promise<object> {
  const client = createTaskBridgeClient({ ...options, limits: { commandRetriesMax: 0, backoffBaseMs: 1, backoffMaxMs: 2 } });
  try {
    const { taskId } = await client.start({ taskType: 'report' });
    const observation = client.observe(taskId);
    const ids: string[] = [];
    for await (const { eventId } of observation) ids.push(eventId);
    const { status } = await client.act(taskId, { suspendId: 's', actionType: 'left' });
    const cancelled = await client.cancel(taskId);
    const { task, connection } = observation.getSnapshot();
    return { ids, status, cancelled: cancelled.status, state: task.state, transport: connection.transport };
  } catch (error) {
    const { code, message } = error as { readonly code?: string; readonly message: string };
    return { code, message };
  } finally {
    await client.close();
  }
}

export default {
  async fetch(request: Request): Promise<Response> {
    if (request.method !== 'POST') return new Response('ready');
    return Response.json(await live((await request.json()) as Pick<TaskBridgeClientOptions, 'baseUrl' | 'transports'>));
  },
};
