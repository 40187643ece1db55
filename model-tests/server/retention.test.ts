import { expect, test, vi } from 'vitest';
import { inProcess } from '../../adapters/in-process/index.ts';
import { memoryAttachments, memoryStore } from '../../adapters/memory/index.ts';
import type { Fact, PollResponse } from '../../machines/wire/index.ts';
import { systemClock } from '../../server/index.ts';
import { bridgeOf, type RunningBridge } from './bridge-of.ts';

const poll = async (of: RunningBridge, taskId: string, afterEventId: string): Promise<PollResponse<Fact>> => {
  const response = await fetch(`${of.url}/api/v1/tasks/${taskId}/events?afterEventId=${afterEventId}`, {
    headers: { authorization: 'alice' },
  });
  return (await response.json()) as PollResponse<Fact>;
};
const chatty = (count: number) =>
  inProcess({
    async chat(task) {
      for (let i = 0; i < count; i++) await task.message(`line ${i}`);
    },
    async ask(task) {
      const answer = task.suspend('q', { reasonCode: 'Q', allowedActions: ['ok'] });
      for (let i = 0; i < count; i++) await task.message(`line ${i}`);
      await answer;
    },
  });
const settled = (of: RunningBridge, taskId: string, state: string, lastN: number) =>
  vi.waitFor(async () => {
    const snapshot = await of.snapshot(taskId);
    expect([snapshot.state, Number.parseInt(snapshot.lastEventId ?? '', 10)]).toEqual([state, lastN]);
    return snapshot;
  });

test('keeps about as many facts as it should, and tells a cursor before them of the gap', async () => {
  const of = await bridgeOf(chatty(200), { tasks: { retainedFactsMax: 50 } });
  const taskId = await of.start('chat');
  const { firstEventId } = await settled(of, taskId, 'completed', 202);
  const facts = await of.facts(taskId);
  expect(facts.length).toBeGreaterThanOrEqual(50);
  expect(facts.length).toBeLessThanOrEqual(55);
  expect(firstEventId).toBe(facts[0]?.eventId);
  const [, ms = ''] = firstEventId?.split('-') ?? [];
  const page = await poll(of, taskId, `10-${ms}`);
  expect(page.gap).toEqual({ reason: 'trimmed', firstEventId });
  expect(page.events[0]?.eventId).toBe(firstEventId);
  expect((await poll(of, taskId, firstEventId ?? '')).gap).toBeUndefined();
  expect((await poll(of, taskId, '5000-1')).gap).toEqual({ reason: 'reset', firstEventId });
});

test('keeps an open question up to ten times the length, then goes on trimming', async () => {
  const of = await bridgeOf(chatty(90), { tasks: { retainedFactsMax: 10 } });
  const taskId = await of.start('ask');
  await settled(of, taskId, 'suspended', 92);
  expect((await of.facts(taskId)).length).toBeGreaterThan(88);

  const more = await bridgeOf(chatty(200), { tasks: { retainedFactsMax: 10 } });
  const long = await more.start('ask');
  const { suspensions } = await settled(more, long, 'suspended', 202);
  const facts = await more.facts(long);
  expect(facts.length).toBeLessThanOrEqual(101);
  expect(suspensions).toHaveLength(1);
  await more.act(long, { clientActionId: 'a', suspendId: suspensions[0]?.suspendId ?? '', actionType: 'ok' });
  await settled(more, long, 'completed', 204);
  expect((await more.facts(long)).length).toBeLessThanOrEqual(11);
});

test('removes a task and its files when its time after the end is over, and frees its request id', async () => {
  const attachments = memoryAttachments();
  const hourMs = 60 * 60 * 1000;
  let aheadMs = 0;
  const clock = { ...systemClock, now: () => Date.now() + aheadMs };
  const store = memoryStore({ clock });
  const of = await bridgeOf(chatty(1), { attachments, store, clock, tasks: { retainedAfterEndMs: hourMs } });
  const form = new FormData();
  form.set('clientRequestId', 'with-file');
  form.set('taskType', 'chat');
  form.set('attachment', new Blob(['hello']), 'hello.txt');
  const create = () => fetch(`${of.url}/api/v1/tasks`, { method: 'POST', headers: { authorization: 'alice' }, body: form });
  const { taskId } = (await (await create()).json()) as { taskId: string };
  const keys = async () => {
    const found: string[] = [];
    for await (const key of attachments.keys(Number.MAX_SAFE_INTEGER)) found.push(key);
    return found;
  };
  await settled(of, taskId, 'completed', 3);
  expect(await keys()).toEqual([`${taskId}/0`]);
  aheadMs = hourMs + 1;
  await vi.waitFor(async () =>
    expect(await of.snapshot(taskId).catch((error: unknown) => error)).toMatchObject({ code: 'TASK_NOT_FOUND' }),
  );
  await vi.waitFor(async () => expect(await keys()).toEqual([]));
  const again = (await (await create()).json()) as { taskId: string; deduplicated: boolean };
  expect(again.deduplicated).toBe(false);
  expect(again.taskId).not.toBe(taskId);
});

test('sweeps files that no task references by itself, once an hour', async () => {
  const attachments = memoryAttachments({ clock: { ...systemClock, now: () => Date.now() - 2 * 60 * 60 * 1000 } });
  const put = (key: string) =>
    attachments.put(
      key,
      (async function* () {
        yield Buffer.from('a file');
      })(),
    );
  const listed = vi.fn(() => attachments.keys(Number.MAX_SAFE_INTEGER));
  let aheadMs = 0;
  const { bridge } = await bridgeOf(chatty(1), {
    attachments: { ...attachments, keys: listed },
    store: memoryStore(),
    clock: { ...systemClock, monotonic: () => performance.now() + aheadMs },
    tasks: { reconcileMs: 5 },
  });
  await vi.waitFor(() => expect(listed).toHaveBeenCalled());
  const created = { clientRequestId: 'with a file', taskType: 'chat', attachments: [{ fileName: 'a', content: 'a' }] };
  const { taskId } = await bridge.tasks({ subject: 'alice' }).start(created);
  await put(`${'a'.repeat(32)}/0`);
  for (aheadMs of [1, 2, 3].map((hours) => hours * 61 * 60 * 1000)) {
    listed.mockClear();
    await vi.waitFor(() => expect(listed).toHaveBeenCalled());
  }
  await vi.waitFor(() => expect(attachments.open(`${'a'.repeat(32)}/0`)).rejects.toThrow());
  await attachments.open(`${taskId}/0`);
});
