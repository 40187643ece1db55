import { createHash, randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { chaosProxy, type ChaosProxy } from '../conformance/index.ts';
import { until } from '../support/until.ts';
import { createClients, idsOf, watch, ways, type Clients } from './clients.ts';
import { startOriginal, type OriginalHost } from './original-host.ts';

let host: OriginalHost;
let proxy: ChaosProxy;
let clients: Clients;
beforeAll(async () => {
  host = await startOriginal(200);
});
afterAll(() => host?.stop());
beforeEach(async () => {
  proxy = await chaosProxy({ target: { port: host.port } });
  clients = createClients(() => proxy.url);
});
afterEach(async () => {
  await clients.close();
  await proxy.close();
});

/** From now on resets a connection as soon as it asks for a path that ends so; replaces what was blocked before. */
function block(...endings: readonly string[]): void {
  proxy.refuse((chunk) => {
    const path = /^[A-Z]+ ([^ ?]+)/.exec(chunk.toString('latin1', 0, 300))?.[1];
    return path !== undefined && endings.some((ending) => path.endsWith(ending));
  });
}

describe.each(ways.map((transports) => ({ transports })))('over $transports, cut again and again', ({ transports }) => {
  test.each([1, 3, 17])('delivers the log as it is stored when every %i facts all connections are cut', async (every) => {
    const bridge = clients.make({ transports });
    const { taskId } = await bridge.start({ taskType: 'count', input: { to: 60, everyMs: 2 } });
    const observation = bridge.observe(taskId);
    const facts = await watch(observation, (_, count) => count % every === 0 && proxy.reset());
    expect(facts).toHaveLength(62);
    expect(idsOf(facts)).toEqual(await host.logOf(taskId));
    expect(observation.getSnapshot().task).toMatchObject({ state: 'completed', result: { counted: 60 } });
    expect(proxy.counts.taken).toBeGreaterThan(1);
  });

  test('delivers six hundred facts of a finished log once, cut at every fiftieth', async () => {
    const bridge = clients.make({ transports });
    const { taskId } = await bridge.start({ taskType: 'count', input: { to: 600 } });
    await expect.poll(() => host.logOf(taskId)).toHaveLength(602);
    const facts = await watch(bridge.observe(taskId), (_, count) => count % 50 === 0 && proxy.reset());
    expect(idsOf(facts)).toEqual(await host.logOf(taskId));
  });

  test('answers a question though every connection is cut while it waits', async () => {
    const bridge = clients.make({ transports });
    const { taskId } = await bridge.start({ taskType: 'ask' });
    const observation = bridge.observe(taskId);
    const facts = await watch(observation, async ({ type }) => {
      if (type !== 'TASK_SUSPENDED') return;
      const [question] = observation.getSnapshot().task.openSuspensions;
      const answer = bridge.act(taskId, { suspendId: question?.suspendId ?? '', actionType: 'left' });
      proxy.reset();
      // The answer may have got there although its reply was cut: then it is the same answer that comes again.
      expect(['ACCEPTED', 'DEDUPLICATED']).toContain((await answer).status);
    });
    expect(idsOf(facts)).toEqual(await host.logOf(taskId));
    expect(facts.filter(({ type }) => type === 'TASK_ACTION_ACCEPTED')).toHaveLength(2);
  });
});

test('an upload that is cut half-way is sent again from its beginning, and makes one task', async () => {
  const bridge = clients.make();
  const pieces = Array.from({ length: 40 }, () => randomBytes(20_000));
  let cuts = 0;
  const { taskId } = await bridge.start(
    { taskType: 'digest', attachments: [{ fileName: 'pieces.bin', content: () => new Blob(pieces).stream() }] },
    {
      onUpload: ({ sentBytes }) => {
        if (sentBytes < 400_000 || cuts === 2) return;
        cuts += 1;
        proxy.reset();
      },
    },
  );
  const observation = bridge.observe(taskId);
  await watch(observation);
  expect(cuts).toBe(2);
  const sha256 = createHash('sha256').update(Buffer.concat(pieces)).digest('hex');
  expect(observation.getSnapshot().task.result).toMatchObject({ files: [{ size: 800_000, sha256 }] });
});

describe('the whole ladder', () => {
  /** Everything that the SSE and WebSocket routes end with. */
  const SOCKET = '/tasks/ws';
  const STREAM = '/events/stream';

  test('is climbed down where upper rungs are blocked, and up again when they are free; no fact is lost or comes twice', async () => {
    const bridge = clients.make({ limits: { climbIntervalMs: 20 } });
    const { taskId } = await bridge.start({ taskType: 'step', input: { to: 12 } });
    const observation = bridge.observe(taskId);
    const on = (transport: string) =>
      until(observation, ({ connection }) => connection.state === 'live' && connection.transport === transport && !connection.climbing);
    const obstacles: Record<number, readonly [blocked: readonly string[], rung: string]> = {
      2: [[SOCKET], 'sse'],
      4: [[SOCKET, STREAM], 'poll'],
      6: [[SOCKET], 'sse'],
      8: [[], 'ws'],
      10: [[SOCKET, STREAM], 'poll'],
      12: [[], 'ws'],
    };
    const rungs: string[] = [];
    const facts = await watch(observation, async ({ type }, count) => {
      const obstacle = obstacles[count];
      if (obstacle) {
        const [blocked, rung] = obstacle;
        block(...blocked);
        if (blocked.length > 0) proxy.reset();
        await on(rung);
        rungs.push(rung);
      }
      if (type !== 'TASK_COMPLETED') await host.step(taskId);
    });
    expect(rungs).toEqual(['sse', 'poll', 'sse', 'ws', 'poll', 'ws']);
    expect(idsOf(facts)).toEqual(await host.logOf(taskId));
    expect(observation.getSnapshot().connection).toMatchObject({ state: 'done', transport: 'ws' });
  });

  test('holds while climbing is tried without end over a log that grows', async () => {
    const bridge = clients.make({ limits: { climbIntervalMs: 5 } });
    block(SOCKET);
    const { taskId } = await bridge.start({ taskType: 'count', input: { to: 300, everyMs: 2 } });
    const facts = await watch(bridge.observe(taskId), (_, count) => {
      if (count % 20 !== 0) return;
      const blocked = [[SOCKET], [STREAM], [SOCKET, STREAM], []][(count / 20) % 4] ?? [];
      block(...blocked);
      if (count % 60 === 0) proxy.reset();
    });
    expect(facts).toHaveLength(302);
    expect(idsOf(facts)).toEqual(await host.logOf(taskId));
  });

  test('is begun again when the server itself was away', async () => {
    const bridge = clients.make();
    const { taskId } = await bridge.start({ taskType: 'step', input: { to: 2 } });
    const observation = bridge.observe(taskId);
    const facts = await watch(observation, async ({ type }, count) => {
      if (count === 2) {
        // Every path there is.
        block('');
        proxy.reset();
        const before = clients.reports.length;
        await clients.losses(before + 8);
        block();
      }
      if (type !== 'TASK_COMPLETED') await host.step(taskId);
    });
    expect(idsOf(facts)).toEqual(await host.logOf(taskId));
  });
});
