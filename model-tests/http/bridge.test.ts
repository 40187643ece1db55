import { createHash } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import { inProcess, type Handler } from '../../adapters/in-process/index.ts';
import { memoryAttachments, memoryStore } from '../../adapters/memory/index.ts';
import type {
  CreateTaskResponse,
  ErrorEnvelope,
  Fact,
  PollResponse,
  SubmitActionResponse,
  TaskSnapshotResponse,
} from '../../machines/wire/index.ts';
import { createTaskBridge, type TaskBridgeOptions } from '../../server/index.ts';
import { file, form, FORM_TYPE, ids, text } from './form.ts';
import { auth as bearer } from './host.ts';
import { listen } from './listen.ts';
import { send, wireRows } from './wire.ts';

/** The door with the real service and hub behind it. */
async function start(handlers: Readonly<Record<string, Handler>>, options: Partial<TaskBridgeOptions> = {}) {
  const attachments = memoryAttachments();
  const logged: string[] = [];
  const log = (message: string) => void logged.push(message);
  const bridge = createTaskBridge({
    store: memoryStore(),
    executor: inProcess(handlers),
    auth: ({ headers }) => (headers.authorization === undefined ? undefined : { subject: headers.authorization }),
    attachments,
    logger: { warn: log, error: log },
    tasks: { reconcileMs: 20 },
    ...options,
  });
  await bridge.start();
  const listening = await listen(bridge.middleware({ prefix: '/api/v1' }));
  const { url } = listening;
  onTestFinished(async () => {
    await bridge.close();
    await listening.close();
  });

  async function call<T>(
    method: string,
    path: string,
    body?: object | Buffer,
    type = 'application/json',
  ): Promise<{ status: number; body: T }> {
    const sent = body === undefined ? {} : { body: Buffer.isBuffer(body) ? (body as BodyInit) : JSON.stringify(body) };
    const headers = { authorization: 'ada', ...(body === undefined ? {} : { 'content-type': type }) };
    const response = await fetch(`${url}/api/v1/tasks${path}`, { method, headers, ...sent });
    // The wire's own JSON, of the type that the test expects.
    return { status: response.status, body: (await response.json()) as T };
  }
  const create = (body: object) => call<CreateTaskResponse & ErrorEnvelope>('POST', '', body);
  const upload = (parts: Parameters<typeof form>[0]) => call<CreateTaskResponse & ErrorEnvelope>('POST', '', form(parts), FORM_TYPE);
  const poll = async (taskId: string, query = '') => (await call<PollResponse<Fact>>('GET', `/${taskId}/events${query}`)).body;
  const snapshot = async (taskId: string) => (await call<TaskSnapshotResponse>('GET', `/${taskId}`)).body;

  /** Follows a task by long polls, from a cursor until its log ends or a fact of that type came. */
  async function follow(taskId: string, until?: Fact['type']): Promise<Fact[]> {
    const facts: Fact[] = [];
    for (
      let page = await poll(taskId, '?maxEvents=2');
      ;
      page = await poll(taskId, `?waitTimeoutMs=10000&maxEvents=2&afterEventId=${page.nextAfterEventId ?? ''}`)
    ) {
      facts.push(...page.events);
      if (page.terminal || page.events.some(({ type }) => type === until)) return facts;
    }
  }
  return { url, call, create, upload, poll, snapshot, follow, attachments, logged };
}

const ask: Handler = async (task) => {
  const { actionType } = await task.suspend('which', { reasonCode: 'WHICH', allowedActions: ['first', 'last'] });
  return { chosen: actionType };
};

describe('the door with a real service behind it', () => {
  it('takes a task from its upload to its end over long polls', async () => {
    const host = await start({
      async report(task) {
        const [attachment] = task.attachments;
        if (!attachment) return { bytes: 0 };
        const hash = createHash('sha256');
        for await (const chunk of await attachment.open()) hash.update(chunk as Buffer);
        await task.progress(100);
        return { fileName: attachment.fileName, matches: hash.digest('hex') === attachment.sha256, rows: task.input['rows'] ?? null };
      },
    });
    const { status, body } = await host.upload([file(Buffer.alloc(100_000, 'x'), 'dir/a.csv'), text('input', '{"rows":3}'), ...ids]);
    expect([status, body.deduplicated]).toEqual([201, false]);
    const facts = await host.follow(body.taskId);
    expect(facts.map(({ type }) => type)).toEqual(['TASK_STARTED', 'TASK_PROGRESS', 'TASK_COMPLETED']);
    expect(facts.at(-1)?.payload).toEqual({ result: { fileName: 'a.csv', matches: true, rows: 3 } });
    expect(await host.snapshot(body.taskId)).toMatchObject({
      status: 'COMPLETED',
      result: { matches: true },
      lastEventId: facts.at(-1)?.eventId,
    });
    const again = await host.upload([...ids, text('input', '{"rows":3}'), file(Buffer.alloc(100_000, 'x'), 'a.csv')]);
    expect([again.status, again.body]).toMatchObject([200, { taskId: body.taskId, status: 'COMPLETED', deduplicated: true }]);
    expect(await host.upload([...ids, text('input', '{"rows":3}'), file('other')])).toMatchObject({
      status: 409,
      body: { code: 'IDEMPOTENCY_CONFLICT' },
    });
    const keys: string[] = [];
    for await (const key of host.attachments.keys(Number.POSITIVE_INFINITY)) keys.push(key);
    expect([keys, host.logged]).toEqual([[`${body.taskId}/0`], []]);
  });

  it('makes one task of twenty creates that come together', async () => {
    let runs = 0;
    const host = await start({ report: async () => ({ run: ++runs }) });
    const answers = await Promise.all(Array.from({ length: 20 }, () => host.create({ clientRequestId: 'r1', taskType: 'report' })));
    expect(new Set(answers.map(({ body }) => body.taskId)).size).toBe(1);
    expect(answers.map(({ status }) => status).sort()).toEqual([...Array<number>(19).fill(200), 201]);
    await host.follow(answers[0]?.body.taskId ?? '');
    expect(runs).toBe(1);
  });

  it('accepts one of ten answers that come together, and deduplicates the same one', async () => {
    const host = await start({ ask });
    const { body } = await host.create({ clientRequestId: 'r1', taskType: 'ask' });
    const asked = (await host.follow(body.taskId, 'TASK_SUSPENDED')).at(-1);
    const suspendId = asked?.type === 'TASK_SUSPENDED' ? asked.payload.suspendId : expect.fail('nothing was asked');
    const answer = (clientActionId: string, actionType = 'first') =>
      host.call<SubmitActionResponse & ErrorEnvelope>('POST', `/${body.taskId}/actions`, { clientActionId, suspendId, actionType });

    expect(await answer('a', 'third')).toMatchObject({ status: 409, body: { code: 'ACTION_NOT_ALLOWED' } });
    const answers = await Promise.all(Array.from({ length: 10 }, (_, i) => answer(`a${i}`)));
    expect(answers.map(({ status, body: { status: outcome } }) => `${status} ${outcome}`).sort()).toEqual([
      '202 ACCEPTED',
      ...Array<string>(9).fill('202 REJECTED_ALREADY_RESOLVED'),
    ]);
    const accepted = answers.findIndex(({ body: { status } }) => status === 'ACCEPTED');
    const repeats = await Promise.all(Array.from({ length: 10 }, () => answer(`a${accepted}`)));
    expect(repeats.map(({ status, body: { status: outcome } }) => `${status} ${outcome}`)).toEqual(Array(10).fill('200 DEDUPLICATED'));
    expect(await answer(`a${accepted}`, 'last')).toMatchObject({ status: 409, body: { code: 'IDEMPOTENCY_CONFLICT' } });
    const facts = await host.follow(body.taskId);
    expect(facts.map(({ type }) => type)).toEqual(['TASK_STARTED', 'TASK_SUSPENDED', 'TASK_ACTION_ACCEPTED', 'TASK_COMPLETED']);
  });

  it('takes an answer with other metadata for another one, in whatever order its fields come', async () => {
    const host = await start({ ask });
    const { body } = await host.create({ clientRequestId: 'r1', taskType: 'ask' });
    const asked = (await host.follow(body.taskId, 'TASK_SUSPENDED')).at(-1);
    const suspendId = asked?.type === 'TASK_SUSPENDED' ? asked.payload.suspendId : expect.fail('nothing was asked');
    const answer = (metadata?: object) =>
      host.call<SubmitActionResponse & ErrorEnvelope>('POST', `/${body.taskId}/actions`, {
        ...{ clientActionId: 'a', suspendId, actionType: 'first' },
        ...(metadata && { metadata }),
      });
    expect(await answer({ from: 'phone', page: 1 })).toMatchObject({ status: 202, body: { status: 'ACCEPTED' } });
    expect(await answer({ page: 1, from: 'phone' })).toMatchObject({ status: 200, body: { status: 'DEDUPLICATED' } });
    for (const other of [{ from: 'phone', page: 2 }, {}, undefined])
      expect(await answer(other)).toMatchObject({ status: 409, body: { code: 'IDEMPOTENCY_CONFLICT' } });
  });

  it('cancels with a reason, and says so when it is over', async () => {
    const host = await start({ ask });
    const { body } = await host.create({ clientRequestId: 'r1', taskType: 'ask' });
    await host.follow(body.taskId, 'TASK_SUSPENDED');
    const cancel = () => host.call('POST', `/${body.taskId}/cancel`, { reason: 'enough' });
    expect(await cancel()).toEqual({ status: 202, body: { taskId: body.taskId, status: 'CANCELLATION_REQUESTED' } });
    expect(await cancel()).toEqual({ status: 202, body: { taskId: body.taskId, status: 'ALREADY_TERMINAL' } });
    const facts = await host.follow(body.taskId);
    expect(facts.map(({ type }) => type)).toEqual(['TASK_STARTED', 'TASK_SUSPENDED', 'TASK_SUSPENSION_CLOSED', 'TASK_CANCELLED']);
    expect(facts.at(-1)?.payload).toEqual({ reason: 'enough' });
  });

  it('answers an SSE request that it refuses as JSON, and streams one to the end', async () => {
    const host = await start({ report: async () => ({ done: true }) });
    const { body } = await host.create({ clientRequestId: 'r1', taskType: 'report' });
    const stream = (lastEventId: string) =>
      fetch(`${host.url}/api/v1/tasks/${body.taskId}/events/stream?lastEventId=${lastEventId}`, { headers: { authorization: 'ada' } });
    const refused = await stream('$');
    expect([refused.status, refused.headers.get('content-type')]).toEqual([422, 'application/json; charset=utf-8']);
    const whole = await (await stream('')).text();
    expect(whole.match(/^id:/gm)?.length).toBe((await host.follow(body.taskId)).length);
  });

  it('refuses what nobody handles, and forgets the files of it', async () => {
    const host = await start({});
    expect(await host.create({ clientRequestId: 'r1', taskType: 'x' })).toMatchObject({
      status: 422,
      body: { details: { errors: [{ path: 'taskType' }] } },
    });
    expect(await host.upload([text('clientRequestId', 'r1'), text('taskType', 'x'), file('one')])).toMatchObject({ status: 422 });
    for await (const key of host.attachments.keys(Number.POSITIVE_INFINITY)) expect.fail(`${key} was left behind`);
  });

  it('keeps a body whose keys are those of prototypes as it was sent', async () => {
    const host = await start({ echo: async (task) => task.input });
    const input = '{"__proto__":{"polluted":true},"constructor":1,"toString":{"__proto__":2}}';
    const { body } = await host.upload([...ids.slice(0, 1), text('taskType', 'echo'), text('input', input)]);
    const response = await fetch(`${host.url}/api/v1/tasks/${(await host.follow(body.taskId))[0]?.taskId ?? ''}`, {
      headers: { authorization: 'ada' },
    });
    expect(await response.text()).toContain(`"result":${input}`);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it('refuses like the golden rows say', async () => {
    const host = await start({ report: () => Promise.resolve(null) }, { auth: bearer });
    // Two rows speak of what only the fake service has.
    const ofTheFake = ['refuses a type that nobody handles', 'refuses an unknown question'];
    const rows = Object.values(wireRows)
      .flat()
      .filter(({ name, answer }) => [400, 401, 404, 405, 422].includes(answer.status) && !ofTheFake.includes(name));
    for (const row of rows) {
      const response = await send(host.url, row);
      // Envelopes: the wire's own JSON.
      const body = (await response.json()) as ErrorEnvelope;
      const expected = row.answer.body as ErrorEnvelope;
      expect([row.name, response.status, { ...body, timestamp: expected.timestamp }]).toEqual([row.name, row.answer.status, expected]);
    }
    expect(rows.length).toBeGreaterThan(50);
  });
});
