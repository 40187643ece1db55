import { expect, it, vi } from 'vitest';
import { inProcess, type Task } from '../../adapters/in-process/index.ts';
import type { AcceptedAction, Work } from '../../server/index.ts';
import { bridgeOf } from './bridge-of.ts';

const question = { reasonCode: 'MORE', allowedActions: ['yes'] };
const action: AcceptedAction = {
  clientActionId: 'a',
  actionType: 'yes',
  payload: {},
  metadata: {},
  acceptedAt: '2026-01-01T00:00:00.000Z',
};

/** Work that tells what of it was asked for. */
function watchedWork(taskId: string, contentCharacters: number) {
  const asked: string[] = [];
  const suspendIds: string[] = [];
  const part = <T>(name: string, value: T): T => (asked.push(name), value);
  const work: Work = {
    taskId,
    attempt: 1,
    taskType: 'ask',
    owner: 'ann',
    clientRequestId: 'r',
    params: {},
    get input() {
      return part('input', {});
    },
    get metadata() {
      return part('metadata', {});
    },
    get attachments() {
      return part('attachments', []);
    },
    get saved() {
      return part('saved', undefined);
    },
    contentCharacters,
    rest: () => void asked.push('rest'),
    now: () => 0,
    attach: () => Promise.reject(new Error('No file is made here.')),
    async report({ intents }) {
      for (const intent of intents) if (intent.type === 'report.suspended') suspendIds.push(intent.payload.suspendId);
      return { status: 'committed', refusals: intents.map(() => undefined) };
    },
    resolution: async () => undefined,
  };
  return { work, asked, suspendIds };
}

it('is parsed when a handler asks for it, and rests while it waits for an answer', async () => {
  const goOn: (() => void)[] = [];
  const executor = inProcess({
    ask: async (task: Task) => {
      await new Promise<void>((resolve) => goOn.push(resolve));
      void task.input;
      await task.suspend('more', question);
      void task.metadata;
    },
  });
  const { work, asked, suspendIds } = watchedWork('t', 1);
  await executor.start(work);
  await vi.waitFor(() => expect(goOn).toHaveLength(1));
  expect(asked).toEqual([]);
  goOn[0]?.();
  await vi.waitFor(() => expect(asked).toEqual(['input', 'rest']));
  await executor.resume(work, { outcome: 'ANSWERED', suspendId: suspendIds[0] ?? '', action });
  await vi.waitFor(() => expect(asked).toEqual(['input', 'rest', 'metadata']));
});

it('is the same object until the run has waited, and an equal one then', async () => {
  const seen: unknown[] = [];
  const { start, act, snapshot } = await bridgeOf(
    inProcess({
      ask: async (task: Task) => {
        seen.push(task.input, task.input);
        await task.suspend('more', question);
        seen.push(task.input, task.input);
      },
    }),
  );
  const taskId = await start('ask', { rows: [1, 2] });
  const suspensions = await vi.waitUntil(async () => {
    const { suspensions: open } = await snapshot(taskId);
    return open.length > 0 && open;
  });
  await act(taskId, { suspendId: suspensions[0]?.suspendId ?? '', clientActionId: 'c', actionType: 'yes' });
  await vi.waitFor(async () => expect((await snapshot(taskId)).state).toBe('completed'));
  const [first, again, later, laterAgain] = seen;
  expect(again).toBe(first);
  expect(later).not.toBe(first);
  expect(later).toEqual(first);
  expect(laterAgain).toBe(later);
});

it.each([
  [99, 1],
  [100, 0],
  [101, 0],
])('of %i characters leaves room for %i more runs where 100 are the most', async (characters, room) => {
  const executor = inProcess({ ask: () => new Promise(() => undefined) }, { concurrencyMax: 2, inputCharactersMax: 100 });
  await executor.start(watchedWork('t', characters).work);
  expect(executor.room?.()).toBe(room);
});

it('of who waits for an answer takes no room', async () => {
  const executor = inProcess({ ask: async (task) => void (await task.suspend('more', question)) }, { inputCharactersMax: 1 });
  const { work, suspendIds } = watchedWork('t', 100);
  const heard = vi.fn();
  executor.onRoom?.(heard);
  await executor.start(work);
  await vi.waitFor(() => expect(suspendIds).toHaveLength(1));
  await vi.waitFor(() => expect(heard).toHaveBeenCalled());
  expect(executor.room?.()).toBe(1000);
});

it('is bounded by a whole number', () => {
  expect(() => inProcess({}, { inputCharactersMax: 0 })).toThrow(/^inputCharactersMax \(0\)/);
});
