import { createHash, randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { until } from '../support/until.ts';
import { createClients, typesOf, watch, type Clients } from './clients.ts';
import { startOriginal, type OriginalHost } from './original-host.ts';

let host: OriginalHost;
let clients: Clients;
beforeAll(async () => {
  host = await startOriginal(200);
});
afterAll(() => host?.stop());
beforeEach(() => {
  clients = createClients(() => host.baseUrl);
});
afterEach(() => clients.close());

describe('start', () => {
  test('always sends an input, without which this server answers 500', async () => {
    const bridge = clients.make();
    const { taskId } = await bridge.start({ taskType: 'digest' });
    const observation = bridge.observe(taskId);
    await watch(observation);
    expect(observation.getSnapshot().task.result).toEqual({ input: {}, metadata: {}, files: [] });
  });

  test('with the same request id gives the same task, and refuses another input for it', async () => {
    const bridge = clients.make();
    const request = { taskType: 'succeed', input: { n: 1 }, clientRequestId: 'once' };
    const { taskId } = await bridge.start(request);
    await watch(bridge.observe(taskId));
    expect(await bridge.start(request)).toEqual({ taskId, status: 'COMPLETED', clientRequestId: 'once', deduplicated: true });
    await expect(bridge.start({ ...request, input: { n: 2 } })).rejects.toMatchObject({ code: 'IDEMPOTENCY_CONFLICT', status: 409 });
    expect((await clients.make({ auth: () => 'eve' }).start(request)).taskId).not.toBe(taskId);
  });

  test('that this server could not submit is tried again, and found failed without a single fact', async () => {
    const started = await clients.make().start({ taskType: 'nobody.handles.this' });
    expect(started).toMatchObject({ status: 'FAILED', deduplicated: true });
    expect(await host.logOf(started.taskId)).toEqual([]);
    await expect(clients.make({ limits: { commandRetriesMax: 0 } }).start({ taskType: 'nor.this' })).rejects.toMatchObject({
      code: 'TASK_SUBMISSION_ERROR',
      status: 503,
      retryable: true,
    });
  });

  test('is refused to whom the host does not want', async () => {
    const guest = clients.make({ auth: () => 'guest' });
    await expect(guest.start({ taskType: 'succeed' })).rejects.toMatchObject({ code: 'TASK_OWNERSHIP_ERROR', status: 403 });
  });

  test('sends attachments, byte for byte, with their names and types', async () => {
    const bridge = clients.make();
    const contents = [randomBytes(200_000), new TextEncoder().encode('a;b\n1;2\n'), new Uint8Array()];
    const { taskId, deduplicated } = await bridge.start({
      taskType: 'digest',
      input: { unit: 'µm' },
      metadata: { by: 'test' },
      attachments: [
        { fileName: 'noise.bin', content: contents[0] ?? new Uint8Array() },
        { fileName: 'übersicht „neu“.csv', contentType: 'text/csv', content: new Blob([contents[1] ?? '']) },
        { fileName: 'empty', contentType: 'text/plain', content: contents[2] ?? new Uint8Array() },
      ],
    });
    expect(deduplicated).toBe(false);
    const observation = bridge.observe(taskId);
    await watch(observation);
    const [noise, table, empty] = contents.map((content) => ({
      size: content.length,
      sha256: createHash('sha256').update(content).digest('hex'),
    }));
    expect(observation.getSnapshot().task.result).toEqual({
      input: { unit: 'µm' },
      metadata: { by: 'test' },
      files: [
        { name: 'noise.bin', type: 'application/octet-stream', ...noise },
        { name: 'übersicht „neu“.csv', type: 'text/csv', ...table },
        { name: 'empty', type: 'text/plain', ...empty },
      ],
    });
  });

  test('streams attachments, says how far it came, and a stream that is opened again is the same task', async () => {
    const bridge = clients.make();
    const pieces = Array.from({ length: 40 }, () => randomBytes(20_000));
    const content = () => new Blob(pieces).stream();
    const request = {
      taskType: 'digest',
      clientRequestId: 'streamed',
      attachments: [
        { fileName: 'pieces.bin', content },
        { fileName: 'no "name".txt', contentType: 'text/plain', content: new TextEncoder().encode('short') },
      ],
    };
    let sentBytes = 0;
    const { taskId } = await bridge.start(request, { onUpload: (progress) => void (sentBytes = progress.sentBytes) });
    expect(sentBytes).toBeGreaterThan(800_000);
    const observation = bridge.observe(taskId);
    await watch(observation);
    const sha256 = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex');
    expect(observation.getSnapshot().task.result).toMatchObject({
      files: [
        { name: 'pieces.bin', type: 'application/octet-stream', size: 800_000, sha256: sha256(Buffer.concat(pieces)) },
        // Quotes travel as browsers write them; this server takes them as they come.
        { name: 'no %22name%22.txt', type: 'text/plain', size: 5, sha256: sha256('short') },
      ],
    });
    expect(await bridge.start(request)).toMatchObject({ taskId, deduplicated: true });
  });

  test('with the same attachments gives the same task, with other ones a conflict, with too large ones an upload error', async () => {
    const bridge = clients.make();
    const request = (text: string) => ({
      taskType: 'digest',
      clientRequestId: 'files',
      attachments: [{ fileName: 'a.txt', content: new TextEncoder().encode(text) }],
    });
    const { taskId } = await bridge.start(request('one'));
    expect(await bridge.start(request('one'))).toMatchObject({ taskId, deduplicated: true });
    await expect(bridge.start(request('two'))).rejects.toMatchObject({ code: 'IDEMPOTENCY_CONFLICT', status: 409 });
    const tooLarge = { fileName: 'large', content: new Uint8Array(1024 * 1024 + 1) };
    await expect(bridge.start({ taskType: 'digest', attachments: [tooLarge] })).rejects.toMatchObject({
      code: 'UPLOAD_VALIDATION_ERROR',
      status: 400,
    });
  });
});

describe('act', () => {
  /** A task whose first question is open. */
  const asked = async () => {
    const bridge = clients.make();
    const { taskId } = await bridge.start({ taskType: 'ask' });
    const observation = bridge.observe(taskId);
    const { task } = await until(observation, (now) => now.task.openSuspensions.length > 0);
    return { bridge, taskId, observation, suspendId: task.openSuspensions[0]?.suspendId ?? '' };
  };

  test('with the same answer again is deduplicated, with another one too late', async () => {
    const { bridge, taskId, suspendId } = await asked();
    const answer = { suspendId, actionType: 'left', payload: { why: 'nearer' }, clientActionId: 'mine' };
    expect(await bridge.act(taskId, answer)).toEqual({ taskId, suspendId, clientActionId: 'mine', status: 'ACCEPTED' });
    expect(await bridge.act(taskId, answer)).toMatchObject({ status: 'DEDUPLICATED' });
    expect(await bridge.act(taskId, { suspendId, actionType: 'right' })).toMatchObject({ status: 'REJECTED_ALREADY_RESOLVED' });
    // Since its 0.2.0 metadata count as content.
    for (const change of [{ actionType: 'right' }, { payload: {} }, { metadata: { by: 'test' } }])
      await expect(bridge.act(taskId, { ...answer, ...change })).rejects.toMatchObject({ code: 'IDEMPOTENCY_CONFLICT', status: 409 });
  });

  test('refuses a type that the question does not allow', async () => {
    const { bridge, taskId, suspendId } = await asked();
    await expect(bridge.act(taskId, { suspendId, actionType: 'up' })).rejects.toMatchObject({ code: 'IDEMPOTENCY_CONFLICT', status: 409 });
  });

  test('takes one of two answers that are sent at the same time', async () => {
    const { bridge, taskId, suspendId } = await asked();
    const answers = ['left', 'right', 'left', 'right'].map((actionType, n) =>
      bridge.act(taskId, { suspendId, actionType, payload: { n } }),
    );
    const statuses = (await Promise.all(answers)).map(({ status }) => status);
    expect(statuses.sort()).toEqual(['ACCEPTED', ...Array.from({ length: 3 }, () => 'REJECTED_ALREADY_RESOLVED')]);
  });

  test('comes too late for a question whose time was over; no fact says so here', async () => {
    const bridge = clients.make();
    const { taskId } = await bridge.start({ taskType: 'ask.briefly' });
    const observation = bridge.observe(taskId);
    const { task } = await until(observation, (now) => now.task.openSuspensions.length > 0);
    await host.prune();
    const answer = { suspendId: task.openSuspensions[0]?.suspendId ?? '', actionType: 'left' };
    expect(await bridge.act(taskId, answer)).toMatchObject({ status: 'REJECTED_EXPIRED' });
    expect(observation.getSnapshot().task.openSuspensions).toHaveLength(1);
  });

  test('hides a question that was answered here from an observation that begins anew', async () => {
    const bridge = clients.make({ hideAnswered: true });
    const { taskId } = await bridge.start({ taskType: 'ask' });
    const observation = bridge.observe(taskId);
    const { task } = await until(observation, (now) => now.task.openSuspensions.length > 0);
    await bridge.act(taskId, { suspendId: task.openSuspensions[0]?.suspendId ?? '', actionType: 'left' });
    const again = bridge.observe(taskId, { lastEventId: '' });
    const seen: string[] = [];
    for await (const { type } of again) {
      seen.push(type);
      if (type === 'TASK_SUSPENDED') break;
    }
    expect(seen).toEqual(['TASK_STARTED', 'TASK_ACTION_ACCEPTED', 'TASK_SUSPENDED']);
    expect(await host.logOf(taskId)).toHaveLength(4);
  });
});

describe('cancel', () => {
  test.each([undefined, 'no longer needed'])(
    'with the reason %s ends a task of the package’s own executor, whose fact has none',
    async (reason) => {
      const bridge = clients.make();
      const { taskId } = await bridge.start({ taskType: 'fake.held' });
      const observation = bridge.observe(taskId);
      const facts = await watch(observation, async ({ type }) => {
        if (type === 'TASK_STARTED') expect((await bridge.cancel(taskId, reason)).status).toBe('CANCELLATION_REQUESTED');
      });
      expect(typesOf(facts)).toEqual(['STARTED', 'PROGRESS', 'CANCELLED']);
      expect(facts.at(-1)?.payload).toEqual({ message: 'cancelled' });
      expect(observation.getSnapshot().task).toMatchObject({ state: 'cancelled', terminal: true });
    },
  );
});

describe('get', () => {
  test('is a route that this server does not have', async () => {
    const bridge = clients.make();
    const { taskId } = await bridge.start({ taskType: 'succeed' });
    await expect(bridge.get(taskId)).rejects.toMatchObject({ code: 'REQUEST_REFUSED', status: 404 });
  });
});
