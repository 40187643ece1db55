import { memoryOutbox } from 'taskbridge/client/outbox';
import { describe, expect, test } from 'vitest';
import { until } from '../support/until.ts';
import { answerTo, brittle, handGate, openOutbox, takingServer } from './outbox-harness.ts';

const paths = (met: readonly { path: string }[]): string[] => met.map(({ path }) => path.replace('/api/v1/tasks', ''));

describe('an outbox', () => {
  test('keeps commands made offline over a reload and sends each once, in order, when the gate opens', async () => {
    const server = await takingServer();
    const store = memoryOutbox('ada');
    const gate = handGate(false);
    const before = openOutbox(server.baseUrl, { store, gate });
    const first = await before.start({ taskType: 'report', clientRequestId: 'one' });
    await before.start({ taskType: 'report', clientRequestId: 'two', input: { month: 1 } });
    await before.act('task-7', { suspendId: 's', actionType: 'approve', clientActionId: 'yes' });
    await before.cancel({ clientRequestId: first.clientRequestId }, 'changed my mind');
    await before.cancel('task-8');
    expect(await until(before, ({ state }) => state === 'offline')).toMatchObject({ pending: 5 });
    await before.close();

    const after = openOutbox(server.baseUrl, { store, gate });
    await until(after, ({ state }) => state === 'offline');
    expect(server.met).toEqual([]);
    gate.set(true);
    const { entries, pending } = await until(after, ({ state }) => state === 'idle');
    expect(paths(server.met)).toEqual(['', '', '/task-7/actions', '/task-of-one/cancel', '/task-8/cancel']);
    expect(server.met.map(({ body }) => body)).toMatchObject([
      { clientRequestId: 'one', input: {} },
      { clientRequestId: 'two', input: { month: 1 } },
      { clientActionId: 'yes', suspendId: 's' },
      { reason: 'changed my mind' },
      {},
    ]);
    expect(pending).toBe(0);
    expect(entries.map(({ state, wasSent }) => [state, wasSent])).toEqual(Array.from({ length: 5 }, () => ['done', true]));
    expect(await after.settled(first.id)).toMatchObject({ state: 'done', response: { taskId: 'task-of-one' } });
  });

  test('sends a command again with the same id when the answer could not be noted', async () => {
    const server = await takingServer();
    const store = brittle();
    let failures = 0;
    store.failAt = (keeps) => (keeps === 'done' && failures++ < 2 ? 'before' : undefined);
    const outbox = openOutbox(server.baseUrl, { store });
    const ticket = await outbox.start({ taskType: 'report', clientRequestId: 'one' });
    expect(await ticket.settled()).toMatchObject({ state: 'done' });
    expect(server.met.map(({ body }) => body['clientRequestId'])).toEqual(['one', 'one', 'one']);
  });

  test('tells of a refusal and goes on with the next', async () => {
    const server = await takingServer();
    const { command } = server.script;
    const refusals: [number, object][] = [
      [409, { code: 'IDEMPOTENCY_CONFLICT', message: 'Other content.' }],
      [422, { code: 'REQUEST_VALIDATION_ERROR', message: 'No.', details: { errors: [] } }],
    ];
    server.script.command = (...call) => {
      const answer = command(...call);
      return refusals.shift() ?? answer;
    };
    const outbox = openOutbox(server.baseUrl, { store: memoryOutbox('ada') });
    const tickets = [];
    for (const id of ['a', 'b', 'c']) tickets.push(await outbox.start({ taskType: 'report', clientRequestId: id }));
    expect(await Promise.all(tickets.map((ticket) => ticket.settled()))).toMatchObject([
      { state: 'refused', wasSent: true, refusal: { code: 'IDEMPOTENCY_CONFLICT', status: 409 } },
      { state: 'refused', refusal: { code: 'REQUEST_VALIDATION_ERROR', status: 422, details: { errors: [] } } },
      { state: 'done' },
    ]);
    expect(server.met).toHaveLength(3);
  });

  test('says of commands for a task that is gone that it is not there, once each, and makes it again under the same id', async () => {
    const server = await takingServer();
    const { command } = server.script;
    const gone = 'task-of-a';
    server.script.command = (path, ...rest) => {
      const answer = command(path, ...rest);
      return path.includes(gone) ? [404, { code: 'TASK_NOT_FOUND', message: 'There is none.' }] : answer;
    };
    const outbox = openOutbox(server.baseUrl, { store: memoryOutbox('ada') });
    const tickets = [
      await outbox.act(gone, { suspendId: 's', actionType: 'yes' }),
      await outbox.cancel(gone),
      await outbox.start({ taskType: 'report', clientRequestId: 'a' }),
    ];
    expect(await Promise.all(tickets.map((ticket) => ticket.settled()))).toMatchObject([
      { state: 'refused', wasSent: true, refusal: { code: 'TASK_NOT_FOUND', status: 404 } },
      { state: 'refused', wasSent: true, refusal: { code: 'TASK_NOT_FOUND', status: 404 } },
      { state: 'done' },
    ]);
    expect(server.met).toHaveLength(3);
  });

  test('refuses what is for a task whose start was refused, without sending it', async () => {
    const server = await takingServer();
    server.script.command = (path, body) => {
      server.met.push({ path, body: JSON.parse(body) as never });
      return path.endsWith('/tasks') ? [422, { code: 'REQUEST_VALIDATION_ERROR', message: 'No.' }] : answerTo(path, {});
    };
    const outbox = openOutbox(server.baseUrl, { store: memoryOutbox('ada'), gate: handGate() });
    const { clientRequestId } = await outbox.start({ taskType: 'report' });
    const cancel = await outbox.cancel({ clientRequestId });
    expect(await cancel.settled()).toMatchObject({ state: 'refused', wasSent: false, refusal: { code: 'OUTBOX_START_FAILED' } });
    expect(paths(server.met)).toEqual(['']);
    await expect(outbox.cancel({ clientRequestId: 'never' })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  test('does not wait for a start that was kept after it', async () => {
    const server = await takingServer();
    let refusals = 1;
    server.script.command = (path, body) => {
      server.met.push({ path, body: JSON.parse(body) as never });
      return refusals-- > 0 ? [422, { code: 'REQUEST_VALIDATION_ERROR', message: 'No.' }] : answerTo(path, {});
    };
    const gate = handGate(false);
    const outbox = openOutbox(server.baseUrl, { store: memoryOutbox('ada'), gate });
    const request = { taskType: 'report', clientRequestId: 'a' };
    const tickets = [await outbox.start(request), await outbox.cancel({ clientRequestId: 'a' }), await outbox.start(request)];
    gate.set(true);
    expect(await Promise.all(tickets.map((ticket) => ticket.settled()))).toMatchObject([
      { state: 'refused', refusal: { code: 'REQUEST_VALIDATION_ERROR' } },
      { state: 'refused', wasSent: false, refusal: { code: 'OUTBOX_START_FAILED', message: 'The start "a" was refused.' } },
      { state: 'done' },
    ]);
  });
});
