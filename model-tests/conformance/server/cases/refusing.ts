import type { Case } from '../../suite/case.ts';
import { holds, includes, same, says } from '../../suite/claim.ts';
import { call, refused, someId, start, type Answer } from '../calls.ts';
import { refusedStream, stream } from '../streams.ts';
import type { ServerUnderTest } from '../server-under-test.ts';

const errors = 'docs/protocol.md, Errors';
const requests = 'docs/protocol.md, Requests';
const UNKNOWN = '0123456789abcdef0123456789abcdef';

/** Every request that is about one task. */
const aboutATask = (taskId: string): [string, string, object?][] => [
  ['GET', `/tasks/${taskId}/events`],
  ['POST', `/tasks/${taskId}/cancel`, {}],
  ['POST', `/tasks/${taskId}/actions`, { clientActionId: 'a', suspendId: 's', actionType: 'yes' }],
];

/** Who may not, and what is not there. */
export const refusing: readonly Case<ServerUnderTest>[] = [
  {
    id: 'auth.missing',
    title: 'answers 401 to every request without credentials',
    rule: `${requests}: all but /health and /ready need credentials, which are looked at first`,
    async run(server) {
      const taskId = await start(server, 'wait');
      const create = { clientRequestId: someId(), taskType: 'conformance.echo', input: {} };
      for (const [method, path, json] of [['POST', '/tasks', create] as const, ...aboutATask(taskId)])
        refused(await call(server, method, path, { as: 'nobody', ...(json && { json }) }), 401, 'AUTHENTICATION_ERROR');
    },
  },
  {
    id: 'auth.stream',
    title: 'answers 401 to a stream without credentials before it begins',
    rule: requests,
    async run(server) {
      refused(await call(server, 'GET', `/tasks/${UNKNOWN}/events/stream`, { as: 'nobody' }), 401, 'AUTHENTICATION_ERROR');
    },
  },
  {
    id: 'auth.upgrade',
    title: 'answers 401 to an upgrade without credentials, which clients take for a reason to refresh them',
    rule: 'docs/protocol.md, WebSocket: without credentials the upgrade is answered 401',
    better: true,
    async run(server) {
      await refusedStream(stream('ws', server, await start(server, 'wait'), { as: 'nobody' }), 401, 'AUTHENTICATION_ERROR');
    },
  },
  {
    id: 'auth.foreign',
    title: 'answers for a task of somebody else as for one that is not there',
    rule: `${requests}: a foreign task is answered like one that does not exist`,
    async run(server) {
      const foreign = await start(server, 'wait', {}, { as: 'two' });
      const bare = ({ body }: Answer, taskId: string): string => JSON.stringify({ ...body, timestamp: '' }).replaceAll(taskId, 'THE TASK');
      for (const [i, [method, path, json]] of aboutATask(foreign).entries()) {
        const [otherMethod, otherPath] = aboutATask(UNKNOWN)[i] ?? ['', ''];
        const mine = await call(server, method, path, json && { json });
        const nobodys = await call(server, otherMethod, otherPath, json && { json });
        refused(mine, 404, 'TASK_NOT_FOUND');
        same(bare(mine, foreign), bare(nobodys, UNKNOWN), 'the two bodies');
      }
    },
  },
  {
    id: 'errors.validation',
    title: 'names each bad field in a 422',
    rule: errors,
    better: true,
    async run(server) {
      const answer = await call<{ details: { errors: unknown } }>(server, 'POST', '/tasks', { json: { taskType: 'conformance.echo' } });
      refused(answer, 422, 'REQUEST_VALIDATION_ERROR');
      says(JSON.stringify(answer.body.details.errors), 'clientRequestId', 'details.errors');
    },
  },
  {
    id: 'routes.unknown',
    title: 'answers an unknown path below the prefix in the common envelope',
    rule: `${errors}: NOT_FOUND`,
    better: true,
    async run(server) {
      refused(await call(server, 'GET', '/nothing/here'), 404, 'NOT_FOUND');
    },
  },
  {
    id: 'routes.method',
    title: 'answers a method that a path does not have with 405 and the ones that it has',
    rule: `${errors}: METHOD_NOT_ALLOWED`,
    better: true,
    async run(server) {
      const answer = await call(server, 'DELETE', '/tasks');
      refused(answer, 405, 'METHOD_NOT_ALLOWED');
      says(answer.headers.get('allow') ?? '', 'POST', 'Allow');
    },
  },
  {
    id: 'health',
    title: 'says at the root that it is alive, and whether it is ready, to anybody',
    rule: `${requests}: GET /health, GET /ready`,
    async run(server) {
      const [health, ready] = [
        await call(server, 'GET', '//health', { as: 'nobody' }),
        await call(server, 'GET', '//ready', { as: 'nobody' }),
      ];
      same([health.status, health.body], [200, { status: 'ok' }]);
      same(ready.status, 200);
      includes(ready.body, { status: 'ready' });
      holds(typeof ready.body['details'] === 'object', '/ready has no details');
    },
  },
];
