import type { Case } from '../../suite/case.ts';
import { holds, same } from '../../suite/claim.ts';
import { call, ended, openQuestion, refused, someId, start } from '../calls.ts';
import type { ServerUnderTest } from '../server-under-test.ts';

const rule = 'docs/protocol.md, Requests: DELETE /tasks/{taskId}';
const UNKNOWN = 'f'.repeat(32);

async function missing(server: ServerUnderTest): Promise<string | undefined> {
  const { status } = await call(server, 'DELETE', `/tasks/${UNKNOWN}`);
  return status === 404 || status === 405 ? 'no way to remove a task (DELETE /tasks/{taskId}).' : undefined;
}

/** What `DELETE /tasks/{taskId}` means. */
export const removal: readonly Case<ServerUnderTest>[] = [
  {
    id: 'remove.ended',
    title: 'removes a task that has ended, once and again, and frees its request id',
    rule,
    better: true,
    missing,
    async run(server) {
      const json = { clientRequestId: someId(), taskType: 'conformance.echo', input: {} };
      const create = () => call<{ taskId: string; deduplicated: boolean }>(server, 'POST', '/tasks', { json });
      const { taskId } = (await create()).body;
      await ended(server, taskId);
      for (let nth = 0; nth < 2; nth += 1) same((await call(server, 'DELETE', `/tasks/${taskId}`)).status, 204);
      for (const path of ['', '/events', '/events/stream'])
        refused(await call(server, 'GET', `/tasks/${taskId}${path}`), 404, 'TASK_NOT_FOUND');
      const again = (await create()).body;
      same(again.deduplicated, false);
      holds(again.taskId !== taskId, 'the request id is still that of the task that was removed');
    },
  },
  {
    id: 'remove.running',
    title: 'refuses a task that has not ended by name, and leaves it as it is',
    rule,
    better: true,
    missing,
    async run(server) {
      const taskId = await start(server, 'ask');
      await openQuestion(server, taskId);
      refused(await call(server, 'DELETE', `/tasks/${taskId}`), 409, 'TASK_NOT_ENDED');
      same((await call(server, 'GET', `/tasks/${taskId}`)).body['state'], 'suspended');
    },
  },
  {
    id: 'remove.foreign',
    title: 'answers for a foreign task as for an unknown one, and leaves it alone',
    rule,
    better: true,
    missing,
    async run(server) {
      const taskId = await start(server, 'echo');
      await ended(server, taskId);
      const [foreign, unknown] = [
        await call(server, 'DELETE', `/tasks/${taskId}`, { as: 'two' }),
        await call(server, 'DELETE', `/tasks/${UNKNOWN}`, { as: 'two' }),
      ];
      same([foreign.status, foreign.body], [unknown.status, unknown.body], 'the answers');
      same((await call(server, 'DELETE', `/tasks/${taskId}`, { as: 'nobody' })).status, 401);
      same((await call(server, 'GET', `/tasks/${taskId}`)).body['state'], 'completed');
    },
  },
];
