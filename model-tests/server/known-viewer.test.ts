import { once } from 'node:events';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { inProcess } from '../../adapters/in-process/index.ts';
import { createMemory, memoryStore } from '../../adapters/memory/index.ts';
import { requestKeyOf } from '../../server/task/content-hash.ts';
import { eventually } from '../support/eventually.ts';
import { bridgeOf } from './bridge-of.ts';

async function nodeWithViewers() {
  const memory = createMemory();
  const store = memoryStore({ memory });
  let loads = 0;
  const load: typeof store.load = (taskId) => ((loads += 1), store.load(taskId));
  // On another node, so that this one has nothing of the task at hand.
  const works = await bridgeOf(inProcess({ once: async () => ({}) }), { store: memoryStore({ memory }) });
  const { url } = await bridgeOf(inProcess({}), { store: { ...store, load } });
  const { taskId } = await works.create({ clientRequestId: 'viewed', taskType: 'once' });
  await eventually(() => memory.tasks.get(taskId)?.state === 'completed');
  /** Comes as alice with a cursor; gives how many reads of the task that took, and the close: its code and reason. */
  const view = async (lastEventId: string) => {
    const before = loads;
    const ws = new WebSocket(`${url.replace('http', 'ws')}/api/v1/tasks/ws`, { headers: { authorization: 'alice' } });
    ws.on('open', () => ws.send(JSON.stringify({ action: 'subscribe', taskId, lastEventId })));
    const [code, reason] = (await once(ws, 'close')) as [number, Buffer];
    return { loads: loads - before, code, reason: reason.toString() };
  };
  const stream = async (lastEventId: string) => {
    const before = loads;
    const response = await fetch(`${url}/api/v1/tasks/${taskId}/events/stream`, {
      headers: { authorization: 'alice', 'last-event-id': lastEventId },
    });
    await response.text();
    return { loads: loads - before, status: response.status };
  };
  const remove = async () => {
    const { revision } = (await store.load(taskId)) ?? { revision: 0 };
    expect(await store.remove(taskId, requestKeyOf('alice', 'viewed'), revision)).toBe('removed');
  };
  const firstId = String((await works.facts(taskId))[0]?.eventId);
  return { view, stream, remove, firstId };
}

test('whose task it is, a node asks its store once: who comes back waits for the page that he misses, and for nothing else', async () => {
  const { view, stream, firstId } = await nodeWithViewers();
  expect(await view(firstId)).toMatchObject({ loads: 1, code: 1000 });
  expect(await view(firstId)).toMatchObject({ loads: 0, code: 1000 });
  // Routes and sockets each ask for themselves.
  expect(await stream(firstId)).toEqual({ loads: 1, status: 200 });
  expect(await stream(firstId)).toEqual({ loads: 0, status: 200 });
});

test('a task that is gone is told by its log to who comes back: a stream is refused, a socket cut once and then refused', async () => {
  const { view, stream, remove, firstId } = await nodeWithViewers();
  await view(firstId);
  await stream(firstId);
  await remove();
  expect(await stream(firstId)).toEqual({ loads: 0, status: 404 });
  expect(await view(firstId)).toMatchObject({ code: 1006 });
  expect(await view(firstId)).toMatchObject({ code: 1008, reason: 'TASK_NOT_FOUND' });
});
