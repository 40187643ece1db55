import type { Observation } from 'taskbridge/client';
import type { WebSocketConstructor } from 'taskbridge/client/transports';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { createClients, idsOf, watch, ways, type Clients } from './clients.ts';
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

const UNKNOWN = '0123456789abcdef0123456789abcdef';
const notFound = { code: 'TASK_NOT_FOUND', status: 404 };

/** It is lost and tried again, and neither ends nor delivers. */
async function goesOn(observation: Observation): Promise<void> {
  const next = expect(observation[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'CLOSED' });
  await clients.losses(7);
  expect(['connecting', 'waiting']).toContain(observation.getSnapshot().connection.state);
  observation.close();
  await next;
}

describe('an unknown task', () => {
  test.each([
    { transports: ['poll'], why: 'answered 404' },
    { transports: ['sse', 'poll'], why: 'torn bodies, then 404' },
    { transports: ['ws', 'sse', 'poll'], why: 'closed by who has said nothing, torn bodies, then 404' },
  ] as const)('ends the observation over $transports: $why', async ({ transports }) => {
    const observation = clients.make({ transports }).observe(UNKNOWN);
    await expect(watch(observation)).rejects.toMatchObject(notFound);
    expect(observation.getSnapshot().connection).toMatchObject({ state: 'failed', error: notFound });
  });

  test.each([
    { transport: 'ws', what: 'a close before any word, which may be anybody’s' },
    { transport: 'sse', what: 'a torn body after 200' },
  ] as const)('is asked for again and again over $transport alone, where $what is all that this server says', async ({ transport }) => {
    await goesOn(clients.make({ transports: [transport] }).observe(UNKNOWN));
  });

  test('looks like a task of somebody else', async () => {
    const { taskId } = await clients.make().start({ taskType: 'succeed' });
    const eve = clients.make({ auth: () => 'eve', transports: ['poll'] });
    await expect(watch(eve.observe(taskId))).rejects.toMatchObject(notFound);
    await expect(eve.cancel(taskId)).rejects.toMatchObject(notFound);
    await expect(eve.cancel(UNKNOWN)).rejects.toMatchObject(notFound);
    const answer = { suspendId: 'none', actionType: 'left' };
    await expect(eve.act(taskId, answer)).rejects.toMatchObject(notFound);
    await expect(clients.make().act(taskId, answer)).rejects.toMatchObject({ ...notFound, message: 'none' });
  });
});

describe.each(ways.map((transports) => ({ transports })))('credentials over $transports', ({ transports }) => {
  test('are refreshed once when they are refused, and the log is delivered', async () => {
    let token = 'stale';
    let refreshes = 0;
    const auth = ({ forceRefresh }: { forceRefresh: boolean }) => {
      if (forceRefresh) [token, refreshes] = ['ada', refreshes + 1];
      return token;
    };
    const { taskId } = await clients.make().start({ taskType: 'succeed' });
    const facts = await watch(clients.make({ transports, auth }).observe(taskId));
    expect(idsOf(facts)).toEqual(await host.logOf(taskId));
    expect(refreshes).toBe(1);
  });

  test('end the observation when the new ones are refused too, unless a close before any word is all that was heard', async () => {
    const { taskId } = await clients.make().start({ taskType: 'succeed' });
    const observation = clients.make({ transports, auth: () => 'stale' }).observe(taskId);
    if (String(transports) === 'ws') await goesOn(observation);
    else await expect(watch(observation)).rejects.toMatchObject({ code: 'AUTHENTICATION_ERROR', status: 401 });
  });
});

test('a browser with a token finds no WebSocket here, since this server takes up none of the offered protocols, and reads the stream', async () => {
  const { taskId } = await clients.make().start({ taskType: 'count', input: { to: 150 } });
  // The same interface, typed for the DOM.
  const observation = clients.make({ WebSocket: WebSocket as unknown as WebSocketConstructor }).observe(taskId);
  expect(idsOf(await watch(observation))).toEqual(await host.logOf(taskId));
  expect(observation.getSnapshot().connection).toMatchObject({ state: 'done', transport: 'sse' });
});

describe.each(ways.map((transports) => ({ transports })))('a cursor that this server cannot read over $transports', ({ transports }) => {
  test('is a fault of the server to the client: it goes on trying, and delivers nothing', async () => {
    const bridge = clients.make({ transports });
    const { taskId } = await bridge.start({ taskType: 'succeed' });
    const observation = bridge.observe(taskId, { lastEventId: 'no-cursor' });
    const next = expect(observation[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'CLOSED' });
    await clients.losses(10);
    const seen = new Set(clients.reports.flatMap((report) => (report.type === 'lost' ? [report.transport] : [])));
    expect([...seen].sort()).toEqual([...transports].sort());
    expect(observation.getSnapshot()).toMatchObject({ task: { lastEventId: null } });
    expect(['failed', 'done', 'live']).not.toContain(observation.getSnapshot().connection.state);
    observation.close();
    await next;
  });
});
