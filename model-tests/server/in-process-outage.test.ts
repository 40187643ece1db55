import { expect, it, vi } from 'vitest';
import { inProcess } from '../../adapters/in-process/index.ts';
import { createMemory, memoryStore } from '../../adapters/memory/index.ts';
import { TaskBridgeError, type WorkReport, type Resolution, type Store, type Work } from '../../server/index.ts';
import { createTaskReporter } from '../../server/reporter/index.ts';
import { bridgeOf } from './bridge-of.ts';

const answered: Resolution = {
  outcome: 'ANSWERED',
  suspendId: 'q',
  action: { clientActionId: 'a', actionType: 'yes', payload: {}, metadata: {}, acceptedAt: '2026-01-01T00:00:00.000Z' },
};

/** A second run of work whose question was answered in the first; the store fails so often before it says how. */
async function rerun(failures: number): Promise<WorkReport['intents'][number] | undefined> {
  let asked = 0;
  return new Promise((resolve) => {
    const work: Work = {
      taskId: 't',
      attempt: 2,
      taskType: 'ask',
      owner: 'ann',
      clientRequestId: 'r',
      input: {},
      metadata: {},
      params: {},
      attachments: [],
      saved: undefined,
      now: () => 0,
      attach: () => Promise.reject(new Error('No file is made here.')),
      async report({ intents }) {
        const end = intents.find(({ type }) => type === 'report.completed' || type === 'report.failed');
        if (end) resolve(end);
        return { status: 'committed', refusals: intents.map(({ type }) => (type === 'report.suspended' ? 'ALREADY_ASKED' : undefined)) };
      },
      async resolution(suspendId) {
        if ((asked += 1) <= failures) throw new TaskBridgeError('STORE_UNAVAILABLE', 'The store did not answer; try again later.');
        return { ...answered, suspendId };
      },
    };
    const ask = inProcess({ ask: async (task) => (await task.suspend('q', { reasonCode: 'Q', allowedActions: ['yes'] })).actionType });
    void ask.start(work);
  });
}

it('waits for a store that is down when it asks how a question of an earlier run ended', async () => {
  expect(await rerun(0)).toEqual({ type: 'report.completed', payload: { result: 'yes' } });
  expect(await rerun(2)).toEqual({ type: 'report.completed', payload: { result: 'yes' } });
});

it('is told that the store is unavailable where it cannot read an answer', async () => {
  const memory = memoryStore({ memory: createMemory() });
  let isDown = false;
  const kept: Store['sideValues'] = (...args) =>
    isDown ? Promise.reject(new Error('No answer within 3000 ms.')) : memory.sideValues(...args);
  const store: Store = { ...memory, sideValues: kept };
  const bridge = await bridgeOf(
    inProcess({ ask: async (task) => (await task.suspend('q', { reasonCode: 'Q', allowedActions: ['yes'] })).actionType }),
    {
      store,
    },
  );
  const taskId = await bridge.start('ask');
  await vi.waitUntil(async () => (await bridge.snapshot(taskId)).state === 'suspended');
  const suspendId = (await bridge.snapshot(taskId)).suspensions[0]?.suspendId ?? '';
  await bridge.act(taskId, { clientActionId: 'a', suspendId, actionType: 'yes' });
  const reporter = createTaskReporter({ store });
  expect(await reporter.resolution(taskId, suspendId)).toMatchObject({ outcome: 'ANSWERED', action: { actionType: 'yes' } });
  isDown = true;
  await expect(reporter.resolution(taskId, suspendId)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
});
