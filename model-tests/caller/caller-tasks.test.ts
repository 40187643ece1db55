import { describe, expect, it, vi } from 'vitest';
import { systemClock, TaskBridgeError } from 'taskbridge/server';
import { fakeClock } from '../support/fake-clock.ts';
import { idsOf, logOf, ownBridge } from './own-bridge.ts';

const ann = { subject: 'ann' };
const bob = { subject: 'bob' };
const UNKNOWN = 'f'.repeat(32);

describe('the tasks of a caller', () => {
  it('are created, read, asked and followed without HTTP', async () => {
    const { bridge } = await ownBridge();
    const tasks = bridge.tasks(ann);
    const created = await tasks.start({ clientRequestId: 'r', taskType: 'ask' });
    expect(created).toMatchObject({ clientRequestId: 'r', deduplicated: false });
    const { taskId } = created;
    expect(await tasks.start({ clientRequestId: 'r', taskType: 'ask', metadata: { other: true } })).toMatchObject({
      taskId,
      deduplicated: true,
    });
    await vi.waitFor(async () => expect((await tasks.get(taskId)).state).toBe('suspended'));
    const [question] = (await tasks.get(taskId)).suspensions;
    const action = { clientActionId: 'a', suspendId: question?.suspendId ?? '', actionType: 'first' };
    expect(await tasks.act(taskId, action)).toMatchObject({ taskId, clientActionId: 'a', status: 'ACCEPTED' });
    expect(await tasks.act(taskId, action)).toMatchObject({ status: 'DEDUPLICATED' });
    const types: string[] = [];
    for await (const { type } of tasks.watch(taskId)) types.push(type);
    expect(types).toEqual(['TASK_STARTED', 'TASK_SUSPENDED', 'TASK_ACTION_ACCEPTED', 'TASK_COMPLETED']);
    expect(await tasks.get(taskId)).toMatchObject({ status: 'COMPLETED', result: { chosen: 'first' } });
    expect(await tasks.cancel(taskId)).toEqual({ taskId, status: 'ALREADY_TERMINAL' });
  });

  it('have a title and labels, and are shown with what they were created with', async () => {
    const { bridge } = await ownBridge();
    const tasks = bridge.tasks(ann);
    const given = { taskType: 'ask', input: { rows: 3, at: ['}', '"'] }, metadata: { from: 'a test' }, title: 'July', labels: ['ward 7'] };
    const { taskId } = await tasks.start({ clientRequestId: 'r', ...given });
    expect(await tasks.start({ clientRequestId: 'r', ...given, title: 'August', labels: [] })).toMatchObject({
      taskId,
      deduplicated: true,
    });
    expect(await tasks.get(taskId)).toMatchObject(given);
    const plain = await tasks.get((await tasks.start({ clientRequestId: 'plain', taskType: 'ask', labels: [] })).taskId);
    expect(plain).toMatchObject({ input: {}, metadata: {} });
    expect(Object.keys(plain).filter((name) => /title|labels|Bytes/.test(name))).toEqual([]);
  });

  it('are told from each other by the dates of their input, which count as their texts', async () => {
    const { bridge } = await ownBridge();
    // A caller in this process has no wire that makes texts of them.
    const create = (at: unknown) => bridge.tasks(ann).start({ clientRequestId: 'r', taskType: 'ask', input: { at: at as string } });
    const first = new Date(1_000);
    expect(await create(first)).toMatchObject({ deduplicated: false });
    expect(await create(first.toISOString())).toMatchObject({ deduplicated: true });
    await expect(create(new Date(2_000))).rejects.toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' });
  });

  it('are cancelled with their reason', async () => {
    const { bridge } = await ownBridge();
    const tasks = bridge.tasks(ann);
    const { taskId } = await tasks.start({ clientRequestId: 'r', taskType: 'ask' });
    await vi.waitFor(async () => expect((await tasks.get(taskId)).state).toBe('suspended'));
    expect(await tasks.cancel(taskId, 'no use')).toEqual({ taskId, status: 'CANCELLATION_REQUESTED' });
    expect((await tasks.get(taskId)).cancellation).toMatchObject({ reason: 'no use' });
  });

  it('are nobody else’s, and an unknown one is answered alike', async () => {
    const { bridge, start } = await ownBridge();
    const { taskId } = await start('ann');
    const tasks = bridge.tasks(bob);
    for (const id of [taskId, UNKNOWN])
      for (const asked of [
        () => tasks.get(id),
        () => tasks.cancel(id),
        () => tasks.act(id, { clientActionId: 'a', suspendId: 's', actionType: 't' }),
        () => tasks.poll(id),
        () => tasks.prepare(id),
        () => idsOf(tasks.watch(id)),
      ])
        await expect(asked()).rejects.toMatchObject({ name: 'TaskBridgeError', code: 'TASK_NOT_FOUND' });
  });

  it('are refused what a route refuses, with the same codes', async () => {
    const { bridge, start } = await ownBridge({
      ownership: { refuseCreate: (_auth, { taskType }) => (taskType === 'count' ? 'Not for you.' : undefined) },
    });
    const { taskId } = await start();
    const tasks = bridge.tasks(ann);
    const create = (task: object) => tasks.start(task as Parameters<typeof tasks.start>[0]);
    const rows: [() => Promise<unknown>, string][] = [
      [() => create({ taskType: 'ask' }), 'REQUEST_VALIDATION_ERROR'],
      [() => create({ clientRequestId: 'r', taskType: 'ask', more: 1 }), 'REQUEST_VALIDATION_ERROR'],
      [() => create({ clientRequestId: 'r', taskType: 'nobody runs it' }), 'REQUEST_VALIDATION_ERROR'],
      [() => create({ clientRequestId: 'r', taskType: 'count' }), 'TASK_OWNERSHIP_ERROR'],
      [() => tasks.act(taskId, JSON.parse('{"suspendId":"s"}') as Parameters<typeof tasks.act>[1]), 'REQUEST_VALIDATION_ERROR'],
      [() => tasks.cancel(taskId, 'x'.repeat(1025)), 'REQUEST_VALIDATION_ERROR'],
      [() => tasks.poll(taskId, { after: '$' }), 'REQUEST_VALIDATION_ERROR'],
      [() => tasks.poll(taskId, { waitMs: 60_001 }), 'REQUEST_VALIDATION_ERROR'],
      [() => tasks.poll(taskId, { waitMs: -1 }), 'REQUEST_VALIDATION_ERROR'],
      [() => tasks.poll(taskId, { maxEvents: 0 }), 'REQUEST_VALIDATION_ERROR'],
      [() => tasks.poll(taskId, { maxEvents: 501 }), 'REQUEST_VALIDATION_ERROR'],
      [() => tasks.prepare(taskId, { after: '1' }), 'REQUEST_VALIDATION_ERROR'],
      [() => idsOf(tasks.watch(taskId, { after: 'x' })), 'REQUEST_VALIDATION_ERROR'],
    ];
    for (const [asked, code] of rows) await expect(asked()).rejects.toMatchObject({ name: 'TaskBridgeError', code });
    await create({ clientRequestId: 'r', taskType: 'ask' });
    await expect(create({ clientRequestId: 'r', taskType: 'ask', input: { n: 1 } })).rejects.toMatchObject({
      code: 'IDEMPOTENCY_CONFLICT',
    });
  });

  it('are no larger than a route takes them, files apart', async () => {
    const { bridge, attachments, start } = await ownBridge({ http: { bodyBytesMax: 1_000 } });
    const { taskId } = await start();
    const tasks = bridge.tasks(ann);
    // Characters of two bytes: it is bytes that count.
    const large = { text: 'é'.repeat(500) };
    const put = vi.spyOn(attachments, 'put');
    const files = [{ fileName: 'a', content: 'x'.repeat(2_000) }];
    for (const asked of [
      () => tasks.start({ clientRequestId: 'r', taskType: 'count', input: large, attachments: files }),
      () => tasks.start({ clientRequestId: 'r', taskType: 'count', metadata: large }),
      () => tasks.act(taskId, { clientActionId: 'a', suspendId: 's', actionType: 't', payload: large }),
    ])
      await expect(asked()).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE', details: { bytesMax: 1_000 } });
    expect(put).not.toHaveBeenCalled();
    const input = { text: 'é'.repeat(400) };
    expect(await tasks.start({ clientRequestId: 'r', taskType: 'count', input, attachments: files })).toMatchObject({
      deduplicated: false,
    });
  });

  it('hide what broke inside, which is logged', async () => {
    const { bridge, logged } = await ownBridge({
      ownership: {
        refuseCreate() {
          throw new Error('secret');
        },
      },
    });
    const failure = await bridge
      .tasks(ann)
      .start({ clientRequestId: 'r', taskType: 'ask' })
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(TaskBridgeError);
    expect(failure).toMatchObject({ code: 'INTERNAL_ERROR' });
    expect(String(failure)).not.toContain('secret');
    expect(logged).toContain('A request failed.');
  });

  it('end with the credentials', async () => {
    const clock = fakeClock();
    const { bridge } = await ownBridge({ clock });
    const tasks = bridge.tasks({ ...ann, expiresAt: clock.now() + 1_000 });
    const { taskId } = await tasks.start({ clientRequestId: 'r', taskType: 'ask' });
    const facts = tasks.watch(taskId)[Symbol.asyncIterator]();
    expect((await facts.next()).value).toMatchObject({ type: 'TASK_STARTED' });
    expect((await facts.next()).value).toMatchObject({ type: 'TASK_SUSPENDED' });
    const next = facts.next();
    clock.advance(1_000);
    await expect(next).rejects.toMatchObject({ code: 'AUTHENTICATION_ERROR' });
    expect(await facts.next()).toEqual({ done: true, value: undefined });
    await expect(tasks.get(taskId)).rejects.toMatchObject({ code: 'AUTHENTICATION_ERROR' });
    expect(() => bridge.tasks({ ...ann, expiresAt: clock.now() })).toThrow('The credentials have ended');
    expect(() => bridge.tasks({ subject: '' })).toThrow('without a subject');
    expect(() => bridge.tasks({ ...ann, expiresAt: Number.NaN })).toThrow('expiresAt is no number');
  });
});

describe('a poll without HTTP', () => {
  it('pages through a log, and waits for what comes', async () => {
    const host = await ownBridge();
    const { taskId, report, finish } = await host.start();
    await report(3);
    const tasks = host.bridge.tasks(ann);
    const log = await logOf(host, taskId);
    const page = await tasks.poll(taskId, { maxEvents: 2 });
    expect(page).toMatchObject({ taskId, nextAfterEventId: log[1], hasMore: true, terminal: false });
    expect(page.events.map(({ eventId }) => eventId)).toEqual(log.slice(0, 2));
    const waiting = tasks.poll(taskId, { after: log.at(-1), waitMs: 60_000 });
    await finish();
    expect(await waiting).toMatchObject({ events: [{ type: 'TASK_COMPLETED' }], terminal: true });
  });

  it('ends its wait with its signal', async () => {
    const { bridge, start } = await ownBridge();
    const { taskId, report } = await start();
    await report(1);
    const { nextAfterEventId } = await bridge.tasks(ann).poll(taskId);
    const gone = new AbortController();
    const waiting = bridge.tasks(ann).poll(taskId, { after: nextAfterEventId ?? '', waitMs: 60_000, signal: gone.signal });
    gone.abort();
    expect(await waiting).toMatchObject({ events: [], nextAfterEventId, terminal: false });
  });
});

describe('facts that are followed without HTTP', () => {
  it('are the log from the cursor, then what comes, to the end, in each iteration', async () => {
    const host = await ownBridge();
    const { taskId, report, finish } = await host.start();
    await report(2);
    const [first = ''] = await logOf(host, taskId);
    const facts = host.bridge.tasks(ann).watch(taskId, { after: first });
    const both = Promise.all([idsOf(facts), idsOf(facts)]);
    await report(20);
    await finish();
    const log = await logOf(host, taskId);
    expect(log).toHaveLength(24);
    expect(await both).toEqual([log.slice(1), log.slice(1)]);
    expect(await idsOf(host.bridge.tasks(ann).watch(taskId, { after: log.at(-1) }))).toEqual([]);
  });

  it('end quietly with their signal, with a break and with a return that nobody waits for', async () => {
    const { bridge, start } = await ownBridge({ live: { viewersPerOwnerMax: 1 } });
    const { taskId, report } = await start();
    await report(1);
    const tasks = bridge.tasks(ann);
    const gone = new AbortController();
    const types: string[] = [];
    for await (const { type } of tasks.watch(taskId, { signal: gone.signal })) {
      types.push(type);
      gone.abort();
    }
    expect(types).toHaveLength(1);
    expect(await idsOf(tasks.watch(taskId, { signal: gone.signal }))).toEqual([]);
    for await (const { type } of tasks.watch(taskId)) if (type === 'TASK_MESSAGE') break;
    const iterator = tasks.watch(taskId)[Symbol.asyncIterator]();
    await iterator.next();
    await iterator.next();
    const next = iterator.next();
    await iterator.return?.();
    expect(await next).toEqual({ done: true, value: undefined });
    // The one place of this caller is free each time.
    expect((await tasks.prepare(taskId)).taskId).toBe(taskId);
  });

  it('count as a viewer of their caller from the first one until the end', async () => {
    const { bridge, start } = await ownBridge({ live: { viewersPerOwnerMax: 1 } });
    const { taskId } = await start();
    const other = await start('bob');
    const tasks = bridge.tasks(ann);
    const idle = tasks.watch(taskId)[Symbol.asyncIterator]();
    const facts = tasks.watch(taskId)[Symbol.asyncIterator]();
    await facts.next();
    for (const asked of [
      () => idle.next(),
      () => tasks.prepare(taskId),
      () => tasks.poll(taskId, { after: '1-1', waitMs: 1 }).then(() => tasks.prepare(taskId)),
    ])
      await expect(asked()).rejects.toMatchObject({ code: 'RATE_LIMITED', retryAfterSeconds: 5 });
    expect((await bridge.tasks(bob).prepare(other.taskId)).taskId).toBe(other.taskId);
    await facts.return?.();
    expect((await tasks.prepare(taskId)).taskId).toBe(taskId);
  });

  it('are told of a gap before the fact that follows it', async () => {
    const host = await ownBridge({ tasks: { retainedFactsMax: 3 } });
    const { taskId, report, finish } = await host.start();
    await report(1);
    const [first = ''] = await logOf(host, taskId);
    await report(10);
    await finish();
    const log = await logOf(host, taskId);
    const told: unknown[] = [];
    const tasks = host.bridge.tasks(ann);
    for await (const seen of tasks.watch(taskId, { after: first })) told.push(seen.type === 'GAP' ? seen : seen.eventId);
    expect(told).toEqual([{ type: 'GAP', taskId, reason: 'trimmed', firstEventId: log[0] }, ...log]);
    expect((await tasks.prepare(taskId, { after: first })).gap).toEqual({ reason: 'trimmed', firstEventId: log[0] });
  });

  it('fail where the process closes, so that somebody comes back with the last one', async () => {
    const { bridge, start } = await ownBridge();
    const { taskId, report } = await start();
    await report(1);
    const facts = bridge.tasks(ann).watch(taskId)[Symbol.asyncIterator]();
    await facts.next();
    await facts.next();
    const next = facts.next();
    const failed = expect(next).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', retryAfterSeconds: 1 });
    // Work that runs would end its log when the drain is over.
    void bridge.close({ drainMs: 60_000 });
    await failed;
  });

  it('are watched by those who watch streams, as internal', async () => {
    const told: unknown[] = [];
    const { bridge, start } = await ownBridge({
      clock: systemClock,
      diagnostics: {
        onReplayStart: (transport) => void told.push(`replay ${transport}`),
        onDelivery: (transport) => void told.push(`delivery ${transport}`),
        onDisconnect: (transport) => void told.push(`gone ${transport}`),
      },
    });
    const { taskId, finish } = await start();
    await finish();
    // The test has polled until it was finished.
    told.length = 0;
    await idsOf(bridge.tasks(ann).watch(taskId));
    expect(told).toEqual(['replay internal', 'delivery internal', 'delivery internal', 'gone internal']);
  });
});
