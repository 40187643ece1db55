import type { Case } from '../../suite/case.ts';
import { holds, same } from '../../suite/claim.ts';
import { call, ended, openQuestion, refused, someId, start } from '../calls.ts';
import type { ServerUnderTest } from '../server-under-test.ts';

const rule = 'docs/protocol.md, Requests: starting a task again';
const UNKNOWN = 'f'.repeat(32);

const again = (server: ServerUnderTest, retryOf: string, clientRequestId = someId(), as: 'one' | 'two' = 'one') =>
  call<{ taskId: string; deduplicated: boolean }>(server, 'POST', '/tasks', { json: { clientRequestId, retryOf }, as });

async function missing(server: ServerUnderTest): Promise<string | undefined> {
  const { status } = await again(server, UNKNOWN);
  return status === 404 ? undefined : 'no way to start a task again (POST /tasks with retryOf).';
}

/** What `POST /tasks` with `retryOf` means. */
export const retrying: readonly Case<ServerUnderTest>[] = [
  {
    id: 'retry.ended',
    title: 'starts a task that has ended again as a new one of the same input, once for a request id, also when the first is gone',
    rule,
    better: true,
    missing,
    async run(server) {
      const json = { clientRequestId: someId(), taskType: 'conformance.echo', input: { n: 7 }, title: 'July' };
      const { taskId } = (await call<{ taskId: string }>(server, 'POST', '/tasks', { json })).body;
      await ended(server, taskId);
      const clientRequestId = someId();
      const first = await again(server, taskId, clientRequestId);
      same([first.status, first.body.deduplicated], [201, false]);
      holds(first.body.taskId !== taskId, 'the task is the one that has ended');
      await ended(server, first.body.taskId);
      const { body } = await call(server, 'GET', `/tasks/${first.body.taskId}`);
      same([body['taskType'], body['input'], body['title']], ['conformance.echo', { n: 7 }, 'July']);
      await call(server, 'DELETE', `/tasks/${taskId}`);
      const repeated = await again(server, taskId, clientRequestId);
      same([repeated.status, repeated.body.taskId, repeated.body.deduplicated], [200, first.body.taskId, true]);
      refused(await call(server, 'POST', '/tasks', { json: { ...json, clientRequestId } }), 409, 'IDEMPOTENCY_CONFLICT');
    },
  },
  {
    id: 'retry.running',
    title: 'refuses to start a task again that has not ended, by name',
    rule,
    better: true,
    missing,
    async run(server) {
      const taskId = await start(server, 'ask');
      await openQuestion(server, taskId);
      refused(await again(server, taskId), 409, 'TASK_NOT_ENDED');
    },
  },
  {
    id: 'retry.foreign',
    title: 'starts nobody’s task again for another: it is answered as an unknown one',
    rule,
    better: true,
    missing,
    async run(server) {
      const taskId = await start(server, 'echo');
      await ended(server, taskId);
      refused(await again(server, taskId, someId(), 'two'), 404, 'TASK_NOT_FOUND');
      refused(await again(server, UNKNOWN), 404, 'TASK_NOT_FOUND');
      const mixed = { clientRequestId: someId(), retryOf: taskId, taskType: 'conformance.echo' };
      refused(await call(server, 'POST', '/tasks', { json: mixed }), 422, 'REQUEST_VALIDATION_ERROR');
    },
  },
];
