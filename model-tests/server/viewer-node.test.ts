import { expect, test } from 'vitest';
import { inProcess } from '../../adapters/in-process/index.ts';
import { createMemory, memoryStore } from '../../adapters/memory/index.ts';
import { eventually } from '../support/eventually.ts';
import { bridgeOf } from './bridge-of.ts';

const ask = { reasonCode: 'GO_ON', allowedActions: ['yes'] };

test('a node that runs nothing shows, answers and cancels what another one runs, and refuses creates', async () => {
  const memory = createMemory();
  const works = await bridgeOf(inProcess({ ask: (task) => task.suspend('go-on', ask).then(() => ({})) }), {
    store: memoryStore({ memory }),
  });
  const serves = await bridgeOf(inProcess({}), { store: memoryStore({ memory }) });
  const [worker, server] = [works.bridge.tasks({ subject: 'alice' }), serves.bridge.tasks({ subject: 'alice' })];
  const begun = async (clientRequestId: string): Promise<{ readonly taskId: string; readonly suspendId: string }> => {
    const { taskId } = await worker.start({ clientRequestId, taskType: 'ask' });
    await eventually(async () => (await server.get(taskId)).state === 'suspended');
    return { taskId, suspendId: (await server.get(taskId)).suspensions[0]?.suspendId ?? '' };
  };
  const [answered, cancelled] = [await begun('answered'), await begun('cancelled')];
  const { suspendId } = answered;
  await server.act(answered.taskId, { clientActionId: 'an-answer', suspendId, actionType: 'yes' });
  await server.cancel(cancelled.taskId);
  await eventually(async () => (await server.get(answered.taskId)).state === 'completed');
  await eventually(async () => (await server.get(cancelled.taskId)).state === 'cancelled');
  await expect(server.start({ clientRequestId: 'new', taskType: 'ask' })).rejects.toMatchObject({ code: 'REQUEST_VALIDATION_ERROR' });
});
