import { createHash } from 'node:crypto';
import type { Case } from '../../suite/case.ts';
import { same } from '../../suite/claim.ts';
import { call, ended, refused, someId, start } from '../calls.ts';
import type { ServerUnderTest } from '../server-under-test.ts';

const rule = 'docs/protocol.md, Requests: GET /tasks/{taskId}/attachments/{name}';

async function made(server: ServerUnderTest) {
  const taskId = await start(server, 'attach');
  await ended(server, taskId);
  const { attachments } = (await call<{ attachments?: readonly object[] }>(server, 'GET', `/tasks/${taskId}`)).body;
  return { path: `/tasks/${taskId}/attachments/rows.csv`, taskId, attachments };
}

async function missing(server: ServerUnderTest): Promise<string | undefined> {
  const json = { clientRequestId: someId(), taskType: 'conformance.attach' };
  const isTaken = (await call(server, 'POST', '/tasks', { json })).status === 201;
  return isTaken && (await made(server)).attachments ? undefined : 'no files that work makes (GET /tasks/{taskId}/attachments/{name}).';
}

/** What files of the work mean. */
export const attaching: readonly Case<ServerUnderTest>[] = [
  {
    id: 'attachment.download',
    title: 'lists a file of the work, and gives it as it was made, as no page of its own, whole or a range',
    rule,
    better: true,
    missing,
    async run(server) {
      const { path, attachments } = await made(server);
      const sha256 = createHash('sha256').update('x,y').digest('hex');
      same(attachments, [{ name: 'rows.csv', contentType: 'text/csv', bytes: 3, sha256 }]);
      const whole = await call<string>(server, 'GET', path);
      same([whole.status, whole.body, whole.headers.get('content-type')], [200, 'x,y', 'text/csv']);
      same(whole.headers.get('x-content-type-options'), 'nosniff');
      same(whole.headers.get('content-disposition')?.split(';')[0], 'attachment');
      const range = await call<string>(server, 'GET', path, { headers: { range: 'bytes=1-' } });
      same([range.status, range.body, range.headers.get('content-range')], [206, ',y', 'bytes 1-2/3']);
      same((await call(server, 'GET', path, { headers: { range: 'bytes=3-' } })).status, 416);
    },
  },
  {
    id: 'attachment.foreign',
    title: 'gives a file of the work to nobody who may not see its task, and none of another name',
    rule,
    better: true,
    missing,
    async run(server) {
      const { path, taskId } = await made(server);
      refused(await call(server, 'GET', path, { as: 'two' }), 404, 'TASK_NOT_FOUND');
      refused(await call(server, 'GET', `/tasks/${taskId}/attachments/other.csv`), 404, 'TASK_NOT_FOUND');
      same((await call(server, 'GET', path, { as: 'nobody' })).status, 401);
    },
  },
];
