import { describe, expect, test, vi } from 'vitest';
import { inProcess, type Handler } from '../../adapters/in-process/index.ts';
import { memoryStore } from '../../adapters/memory/index.ts';
import type { TaskBridgeOptions, TaskExecutor } from '../../server/index.ts';
import { metricsTable, recordsTable } from '../../server/observability/index.ts';
import { createTaskReporter } from '../../server/reporter/index.ts';
import { textOfFile } from '../house/project-files.ts';
import { bridgeOf } from './bridge-of.ts';
import { faultyStore } from './faulty-store.ts';

function counter() {
  const counts: Record<string, number> = {};
  const metrics: NonNullable<TaskBridgeOptions['metrics']> = {
    incrementCounter: (name, value = 1) => void (counts[name] = (counts[name] ?? 0) + value),
    setGauge: () => undefined,
  };
  return { counts, metrics };
}

const silent = { warn: () => undefined, error: () => undefined };
const ask: Handler = async (task) => {
  await task.suspend('which', { reasonCode: 'WHICH', allowedActions: ['yes'] });
};

async function openStore() {
  const memory = memoryStore();
  await memory.open();
  return faultyStore(memory);
}

describe('a metric', () => {
  test('is counted once where the reply to its commit is lost, and not at all where nothing was written', async () => {
    const { counts, metrics } = counter();
    const store = await openStore();
    const host = await bridgeOf(inProcess({ ask }), { store, metrics, logger: silent });
    const taskId = await host.start('ask');
    await vi.waitFor(async () => expect((await host.snapshot(taskId)).state).toBe('suspended'));
    const [question] = (await host.snapshot(taskId)).suspensions;
    const suspendId = question?.suspendId ?? '';
    store.failAppends(2);
    store.loseReplies(1);
    // Written by the third try, whose reply was lost: the fourth finds it there.
    expect(await host.act(taskId, { suspendId, clientActionId: 'a', actionType: 'yes' })).toMatchObject({ status: 'ACCEPTED' });
    await vi.waitFor(async () => expect((await host.snapshot(taskId)).state).toBe('completed'));
    expect(counts).toMatchObject({ actions_accepted_total: 1, actions_total: 1 });
    expect(counts).not.toHaveProperty('duplicates_total');
  });

  test.each([1, 2])('of cancels counts one whose reply was lost, %d times over', async (times) => {
    const { counts, metrics } = counter();
    const store = await openStore();
    const host = await bridgeOf(inProcess({ ask }), { store, metrics, logger: silent });
    const taskId = await host.start('ask');
    await vi.waitFor(async () => expect((await host.snapshot(taskId)).state).toBe('suspended'));
    store.loseReplies(times);
    await host.cancel(taskId);
    await vi.waitFor(async () => expect((await host.snapshot(taskId)).state).toBe('cancelled'));
    await host.cancel(taskId);
    expect(counts['cancels_total']).toBe(1);
  });

  test.each([
    ['a handler that throws', inProcess({ work: () => Promise.reject(new Error('no')) })],
    ['a start that is refused', refusing()],
  ])('of failures counts %s', async (_what, executor) => {
    const { counts, metrics } = counter();
    const host = await bridgeOf(executor, { metrics, logger: silent });
    await host.start('work').catch(() => undefined);
    await vi.waitFor(() => expect(counts['task_failures_total']).toBe(1));
    expect(counts['task_starts_total']).toBe(1);
  });

  test('of cancels counts the first of a task, at any time before its end', async () => {
    const { counts, metrics } = counter();
    const host = await bridgeOf(inProcess({ ask }), { metrics });
    const taskId = await host.start('ask');
    await Promise.all([host.cancel(taskId), host.cancel(taskId)]);
    await vi.waitFor(async () => expect((await host.snapshot(taskId)).state).toBe('cancelled'));
    await host.cancel(taskId);
    expect(counts['cancels_total']).toBe(1);
  });

  test('of answers that wait is not moved by one that is handed over at once', async () => {
    const { counts, metrics } = counter();
    const host = await bridgeOf(inProcess({ ask }), { metrics });
    const taskId = await host.start('ask');
    await vi.waitFor(async () => expect((await host.snapshot(taskId)).state).toBe('suspended'));
    const suspendId = (await host.snapshot(taskId)).suspensions[0]?.suspendId ?? '';
    await host.act(taskId, { suspendId, clientActionId: 'a', actionType: 'yes' });
    await vi.waitFor(async () => expect((await host.snapshot(taskId)).state).toBe('completed'));
    expect([counts['actions_accepted_total'], counts['actions_resume_pending_total']]).toEqual([1, undefined]);
  });

  test('of answers that wait is not moved by one whose work runs on another node, which hands it over', async () => {
    const { counts, metrics } = counter();
    const memory = memoryStore();
    await memory.open();
    const [here, there] = await Promise.all(
      [1, 2].map(() => bridgeOf(inProcess({ ask }), { store: faultyStore(memory, { shared: true }), metrics })),
    );
    if (!here || !there) throw new Error('Two nodes were started.');
    const taskId = await here.start('ask');
    await vi.waitFor(async () => expect((await there.snapshot(taskId)).state).toBe('suspended'));
    const suspendId = (await there.snapshot(taskId)).suspensions[0]?.suspendId ?? '';
    await there.act(taskId, { suspendId, clientActionId: 'a', actionType: 'yes' });
    await vi.waitFor(async () => expect((await there.snapshot(taskId)).state).toBe('completed'));
    expect([counts['actions_accepted_total'], counts['actions_resume_pending_total']]).toEqual([1, undefined]);
  });

  test.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('broken');
      },
    ],
    ['rejects', () => Promise.reject(new Error('broken'))],
  ])('touches nobody where its sink %s, and that is logged', async (_what, incrementCounter) => {
    const errors: string[] = [];
    const host = await bridgeOf(inProcess({ work: () => Promise.resolve() }), {
      metrics: { incrementCounter: incrementCounter as () => void, setGauge: () => undefined },
      logger: { warn: () => undefined, error: (message) => void errors.push(message) },
    });
    const taskId = await host.start('work');
    await vi.waitFor(async () => expect((await host.snapshot(taskId)).state).toBe('completed'));
    expect(errors).toContain('A sink of the host failed.');
  });

  test('of streams names the transport of one inside the process as its table says', async () => {
    const told: string[] = [];
    const note = (name: string, _value?: number, tags?: Readonly<Record<string, string>>) =>
      void told.push(`${name} ${tags?.['transport']}`);
    const host = await bridgeOf(inProcess({ work: () => Promise.resolve() }), { metrics: { incrementCounter: note, setGauge: note } });
    const tasks = host.bridge.tasks({ subject: 'alice' });
    const taskId = await host.start('work');
    const ids: string[] = [];
    for await (const seen of tasks.watch(taskId)) if (seen.type !== 'GAP') ids.push(seen.eventId);
    for await (const _ of tasks.watch(taskId, { after: ids[0] }));
    expect(told).toEqual(expect.arrayContaining(['streams_active internal', 'replays_total internal']));
    expect(textOfFile('server/README.md')).toContain('`transport` is `ws`, `sse` or `poll`, and `internal` for a');
  });

  test('of a commit that a reporter makes is counted there', async () => {
    const { counts, metrics } = counter();
    const memory = memoryStore();
    await memory.open();
    const store = faultyStore(memory, { shared: true });
    const outside: TaskExecutor = {
      name: 'outside',
      leased: false,
      handles: () => true,
      repeatable: () => false,
      start: () => Promise.resolve({ status: 'started' }),
      resume: () => Promise.resolve(),
      cancel: () => Promise.resolve(),
    };
    const host = await bridgeOf(outside, { store });
    const taskId = await host.start('work');
    const reporter = createTaskReporter({ store, metrics });
    const failure = { code: 'NO', message: 'no', retryable: false };
    await reporter.report({ taskId, attempt: 1 }, { source: 's', seq: 1, intents: [{ type: 'report.failed', payload: failure }] });
    expect(counts).toEqual({ task_failures_total: 1, facts_total: 1, tasks_ended_total: 1 });
  });
});

test('a create that the upload policy refuses is recorded as denied, by a route and without one', async () => {
  const denied: unknown[] = [];
  const info = (message: string, fields?: Readonly<Record<string, unknown>>) => {
    if (message === 'task.create.denied') denied.push(fields?.['outcome']);
  };
  const uploads = { refuseUpload: () => 'no' };
  const host = await bridgeOf(inProcess({ work: () => Promise.resolve() }), { uploads, logger: { ...silent, info } });
  const refused = host.bridge.tasks({ subject: 'alice' }).start({ clientRequestId: 'r', taskType: 'work' });
  await expect(refused).rejects.toMatchObject({ code: 'UPLOAD_VALIDATION_ERROR' });
  await host.start('work').catch(() => undefined);
  expect(denied).toEqual(['UPLOAD_VALIDATION_ERROR', 'UPLOAD_VALIDATION_ERROR']);
});

describe('the README of the server', () => {
  const readme = textOfFile('server/README.md');

  test('has a row for each metric, as its table says', () => {
    for (const [name, { kind, tags, meaning }] of Object.entries(metricsTable))
      expect(readme).toContain(`| \`${name}\` | ${kind} | ${tags.map((tag) => `\`${tag}\``).join(', ') || '–'} | ${meaning} |`);
  });

  test('has a row for each record, as its table says', () => {
    for (const [name, { level, fields, meaning }] of Object.entries(recordsTable))
      expect(readme).toContain(`| \`${name}\` | ${level} | ${fields.map((field) => `\`${field}\``).join(', ')} | ${meaning} |`);
  });
});

function refusing(): TaskExecutor {
  return {
    name: 'refusing',
    leased: false,
    handles: () => true,
    repeatable: () => false,
    start: () => Promise.resolve({ status: 'refused', failure: { code: 'NO', message: 'no', retryable: false } }),
    resume: () => Promise.resolve(),
    cancel: () => Promise.resolve(),
  };
}
