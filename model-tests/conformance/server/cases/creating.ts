import type { Case } from '../../suite/case.ts';
import { holds, includes, present, same, says } from '../../suite/claim.ts';
import { call, ended, log, openQuestion, refused, someId, start, typesOf } from '../calls.ts';
import type { ServerUnderTest } from '../server-under-test.ts';

const rule = 'docs/protocol.md, Requests: Create';
const echo = (input: object, more: object = {}) => ({ clientRequestId: someId(), taskType: 'conformance.echo', input, ...more });

/** What `POST /tasks` means. */
export const creating: readonly Case<ServerUnderTest>[] = [
  {
    id: 'create.new',
    title: 'answers 201 with the new task, runs it with its input, and writes its facts in one envelope',
    rule,
    async run(server) {
      const json = echo({ text: 'Ü 三 💡', list: [1, { deep: null }] });
      const { status, body } = await call(server, 'POST', '/tasks', { json });
      same([status, Object.keys(body).sort()], [201, ['clientRequestId', 'deduplicated', 'status', 'taskId']]);
      includes(body, { clientRequestId: json.clientRequestId, deduplicated: false });
      const { taskId } = body as { taskId: string };
      const facts = await ended(server, taskId);
      same(typesOf(facts), ['STARTED', 'COMPLETED']);
      same(facts[1]?.payload.result, { echo: json.input });
      for (const fact of facts) {
        same(Object.keys(fact).sort(), ['createdAt', 'eventId', 'payload', 'taskId', 'type'], 'the members of a fact');
        says(fact.createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/, 'createdAt');
        same(fact.taskId, taskId);
      }
    },
  },
  {
    id: 'create.again',
    title: 'gives the same task to the same request, whatever its metadata, and its status by now',
    rule,
    async run(server) {
      const json = echo({ n: 1 }, { metadata: { from: 'here' } });
      const first = await call<{ taskId: string }>(server, 'POST', '/tasks', { json });
      await ended(server, first.body.taskId);
      const again = await call(server, 'POST', '/tasks', { json: { ...json, metadata: { from: 'there' } } });
      same(
        [again.status, again.body],
        [200, { taskId: first.body.taskId, clientRequestId: json.clientRequestId, status: 'COMPLETED', deduplicated: true }],
      );
    },
  },
  {
    id: 'create.conflict',
    title: 'refuses a used request id for other input or another type',
    rule,
    async run(server) {
      const json = echo({ n: 1 });
      await call(server, 'POST', '/tasks', { json });
      refused(await call(server, 'POST', '/tasks', { json: { ...json, input: { n: 2 } } }), 409, 'IDEMPOTENCY_CONFLICT');
      const steps = { ...json, taskType: 'conformance.steps', input: { n: 1 } };
      refused(await call(server, 'POST', '/tasks', { json: steps }), 409, 'IDEMPOTENCY_CONFLICT');
    },
  },
  {
    id: 'create.request-ids-of-owners',
    title: 'keeps the request ids of owners apart',
    rule,
    async run(server) {
      const json = echo({ n: 1 });
      const [mine, theirs] = [await call(server, 'POST', '/tasks', { json }), await call(server, 'POST', '/tasks', { json, as: 'two' })];
      same([mine.status, theirs.status], [201, 201]);
      holds(mine.body['taskId'] !== theirs.body['taskId'], 'two owners were given one task');
    },
  },
  {
    id: 'create.at-once',
    title: 'makes one task of ten creates with one request id at once',
    rule: `${rule}; the create is idempotent by clientRequestId`,
    better: true,
    async run(server) {
      const json = echo({ n: 1 });
      const answers = await Promise.all(Array.from({ length: 10 }, () => call(server, 'POST', '/tasks', { json })));
      same(answers.map(({ status }) => status).sort(), [...Array<number>(9).fill(200), 201], 'the statuses');
      same(new Set(answers.map(({ body }) => body['taskId'])).size, 1, 'the number of tasks');
    },
  },
  {
    id: 'create.unknown-type',
    title: 'refuses a type that nobody runs before anything is written',
    rule,
    better: true,
    async run(server) {
      const json = { clientRequestId: someId(), taskType: 'conformance.unheard-of', input: {} };
      refused(await call(server, 'POST', '/tasks', { json }), 422, 'REQUEST_VALIDATION_ERROR');
      const { status } = await call(server, 'POST', '/tasks', { json: { ...json, taskType: 'conformance.echo' } });
      same(status, 201, 'the status of the same request id with a type that is run');
    },
  },
  {
    id: 'create.unknown-field',
    title: 'refuses unknown fields by name',
    rule: 'docs/protocol.md, Requests: unknown fields are refused',
    better: true,
    async run(server) {
      const answer = await call<{ details: { errors: unknown[] } }>(server, 'POST', '/tasks', { json: echo({}, { surprise: 1 }) });
      refused(answer, 422, 'REQUEST_VALIDATION_ERROR');
      says(JSON.stringify(answer.body.details.errors), 'surprise', 'details.errors');
    },
  },
  ...['', ' ', 'x'.repeat(257)].map((clientRequestId, i): Case<ServerUnderTest> => ({
    id: `create.request-id-${['empty', 'blank', 'long'][i]}`,
    title: `refuses a request id that is ${['empty', 'blank', 'longer than 256 characters'][i]}`,
    rule: 'docs/protocol.md, Requests: text ids have 1 to 256 characters and are not blank',
    better: true,
    async run(server) {
      refused(await call(server, 'POST', '/tasks', { json: echo({}, { clientRequestId }) }), 422, 'REQUEST_VALIDATION_ERROR');
    },
  })),
  {
    id: 'create.input-null',
    title: 'refuses input that is no object',
    rule: 'docs/protocol.md, Requests: Create',
    better: true,
    async run(server) {
      for (const input of [null, [], 'text', 3])
        refused(await call(server, 'POST', '/tasks', { json: { ...echo({}), input } }), 422, 'REQUEST_VALIDATION_ERROR');
    },
  },
  {
    id: 'create.unreadable-body',
    title: 'refuses a body that is no JSON, and one of another kind',
    rule: 'docs/protocol.md, Errors: 400 INVALID_REQUEST',
    better: true,
    async run(server) {
      refused(await call(server, 'POST', '/tasks', { raw: '{"clientRequestId":' }), 400, 'INVALID_REQUEST');
      refused(await call(server, 'POST', '/tasks', { raw: 'a=b', headers: { 'content-type': 'text/plain' } }), 400, 'INVALID_REQUEST');
    },
  },
  {
    id: 'create.too-large',
    title: 'refuses a body over its limit with 413',
    rule: 'docs/protocol.md, Requests: bodies have at most 1 MiB',
    better: true,
    async run(server) {
      const json = echo({ text: 'x'.repeat(server.profile.bodyBytesMax ?? 1024 ** 2) });
      refused(await call(server, 'POST', '/tasks', { json }), 413, 'PAYLOAD_TOO_LARGE');
    },
  },
  {
    id: 'create.too-deep',
    title: 'takes 60 levels of nesting, and refuses 100 000 and 70',
    rule: 'docs/protocol.md, Requests: bodies have at most 64 levels',
    better: true,
    async run(server) {
      const raw = (levels: number): string =>
        JSON.stringify(echo({ deep: 'HERE' })).replace('"HERE"', '['.repeat(levels) + ']'.repeat(levels));
      same((await call(server, 'POST', '/tasks', { raw: raw(60) })).status, 201);
      for (const levels of [70, 100_000])
        refused(await call(server, 'POST', '/tasks', { raw: raw(levels) }), 422, 'REQUEST_VALIDATION_ERROR');
    },
  },
  {
    id: 'create.multipart',
    title: 'takes a form with files, and compares the files too',
    rule,
    async run(server) {
      const clientRequestId = someId();
      const send = (text: string) => {
        const form = new FormData();
        form.set('clientRequestId', clientRequestId);
        form.set('taskType', 'conformance.echo');
        form.set('input', '{"n":1}');
        form.set('attachments', new Blob([text], { type: 'text/csv' }), 'a.csv');
        return call(server, 'POST', '/tasks', { raw: form });
      };
      const first = await send('a,b\n1,2\n');
      same([first.status, (await send('a,b\n1,2\n')).status], [201, 200]);
      refused(await send('a,b\n1,3\n'), 409, 'IDEMPOTENCY_CONFLICT');
      same(typesOf(await ended(server, String(first.body['taskId']))), ['STARTED', 'COMPLETED']);
    },
  },
  {
    id: 'create.failing-work',
    title: 'writes the failure of the work as it says it',
    rule: 'docs/protocol.md, Facts: TASK_FAILED',
    async run(server) {
      const failure = { code: 'OUT_OF_PAPER', message: 'The tray is empty.', retryable: true };
      const facts = await ended(server, await start(server, 'fail', failure));
      same([typesOf(facts), facts[1]?.payload], [['STARTED', 'FAILED'], failure]);
    },
  },
  {
    id: 'task.snapshot',
    title: 'tells a task as its chart stands: running, suspended and ended',
    rule: 'docs/protocol.md, Requests: GET /tasks/{taskId}',
    better: true,
    async run(server) {
      const taskId = await start(server, 'ask', {});
      const suspendId = await openQuestion(server, taskId);
      const asked = await call(server, 'GET', `/tasks/${taskId}`);
      same(asked.status, 200);
      includes(asked.body, { taskId, taskType: 'conformance.ask', status: 'RUNNING', state: 'suspended', suspensions: [{ suspendId }] });
      await call(server, 'POST', `/tasks/${taskId}/cancel`, { json: {} });
      const over = await call(server, 'GET', `/tasks/${taskId}`);
      includes(over.body, { status: 'CANCELLED', state: 'cancelled', suspensions: [] });
      same(over.body['lastEventId'], present((await log(server, taskId)).at(-1), 'the last fact').eventId);
    },
  },
];
