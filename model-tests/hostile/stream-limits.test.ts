import { once } from 'node:events';
import { TaskBridgeError } from '../../server/errors.ts';
import { batchDefaults } from '../../server/live/batch-sizes.ts';
import { liveDefaults, type LiveOptions } from 'taskbridge/server';
import { expect, vi } from 'vitest';
import type { WebSocket } from 'ws';
import { fakeClock } from '../support/fake-clock.ts';
import { dial, liveHost } from '../live/host.ts';
import { fakeViewer, quiesce, hubFixture } from '../live/hub-fixture.ts';
import { taskLog } from '../live/task-log.ts';
import { atLast, most, testBoundaries } from './boundaries.ts';

/** The first thing that is said, or how it was closed. */
function firstWord(ws: WebSocket): Promise<string> {
  ws.on('error', () => undefined);
  return new Promise((resolve) => {
    ws.once('message', (data: Buffer) => resolve((JSON.parse(data.toString()) as { type: string }).type));
    ws.once('close', (code) => resolve(`closed ${code}`));
  });
}

const subscribe = (taskId: string): string => JSON.stringify({ action: 'subscribe', taskId });

/** A viewer that is level, in a world of its own. */
async function level(live: Partial<LiveOptions> = {}, transport: 'ws' | 'sse' = 'ws') {
  const { store, clock, hub } = await hubFixture({ options: live });
  const task = await taskLog(store);
  const viewer = fakeViewer(clock, transport);
  hub.subscribe(task.taskId, viewer, undefined);
  await quiesce();
  return { store, clock, hub, task, viewer };
}

function beats(transport: 'ws' | 'sse') {
  return () => async (amount: number) => {
    const { clock, viewer } = await level({}, transport);
    clock.advance(amount);
    return viewer.heartbeats;
  };
}

const tooMany = (ask: () => unknown): string => {
  try {
    ask();
    return 'taken';
  } catch (error) {
    return error instanceof TaskBridgeError ? error.code : String(error);
  }
};

/** Fills the room of one owner with one kind of viewer, and asks for one more of each kind; others have room all the while. */
async function ownersOf(what: 'ws' | 'sse' | 'poll') {
  const { store, clock, hub } = await hubFixture();
  const task = await taskLog(store);
  return async (amount: number) => {
    for (let missing = amount - 1 - hub.viewers; missing > 0; missing -= 1)
      if (what === 'poll') void hub.poll(task.taskId, { owner: 'ann', waitMs: 60_000, maxEvents: 1 });
      else hub.subscribe(task.taskId, fakeViewer(clock, what), undefined);
    await quiesce();
    expect(hub.viewers).toBe(amount - 1);
    expect(tooMany(() => hub.assertRoom('bob'))).toBe('taken');
    return tooMany(() => hub.assertRoom('ann'));
  };
}

testBoundaries('the limits of streams', liveDefaults, {
  heartbeatMs: atLast(25_000, 0, 1, beats('ws')),
  sseHeartbeatMs: atLast(15_000, 0, 1, beats('sse')),
  viewerBytesMax: {
    // A viewer with any room takes one fact, however large: it costs its limit and one fact.
    limit: 10_000,
    answers: ['is sent the next', 'falls behind', 'falls behind'],
    open: () => async (amount) => {
      const { store, task, viewer } = await level({ viewerBytesMax: 10_000 });
      viewer.blocked = true;
      await task.append(1);
      await quiesce();
      // What one fact costs beyond its text.
      const overhead = viewer.pendingBytes() - 20;
      await task.append(1, { textBytes: amount - viewer.pendingBytes() - overhead });
      await quiesce();
      if (viewer.pendingBytes() !== amount) throw new Error(`${viewer.pendingBytes()} bytes wait instead of ${amount}.`);
      const { reads } = store;
      await task.append(1);
      await quiesce();
      if (store.reads > reads) throw new Error('A viewer that is behind reads only when it has drained.');
      return viewer.ids.length === 3 ? 'is sent the next' : 'falls behind';
    },
  },
  stalledMs: atLast(60_000, 'open', 'cut', () => async (amount) => {
    const { clock, task, viewer } = await level();
    viewer.blocked = true;
    await task.append();
    await quiesce();
    clock.advance(amount);
    return viewer.state;
  }),
  pollBytesMax: most(2000, 2, 1, () => async (amount) => {
    const { store, hub } = await hubFixture({ options: { pollBytesMax: 2000 } });
    const task = await taskLog(store);
    const sizeOf = async (n: number) => (await store.read(task.taskId, n, { facts: 1, bytes: 1 }))?.entries[0]?.bytes.byteLength ?? 0;
    await task.append();
    const first = await sizeOf(1);
    await task.append(1, { textBytes: amount - first - (first - 20) });
    if (first + (await sizeOf(2)) !== amount) throw new Error('The two facts have another size.');
    return (await hub.poll(task.taskId, { owner: 'ann', waitMs: 0, maxEvents: 100 })).entries.length;
  }),
  viewersMax: most(20_000, 'taken', 'RATE_LIMITED', async () => {
    const { store, clock, hub } = await hubFixture();
    const task = await taskLog(store);
    return (amount) => {
      // Each owner has as many as one may.
      const ownerOf = (nth: number) => `owner-${Math.floor(nth / liveDefaults.viewersPerOwnerMax)}`;
      while (hub.viewers < amount - 1) hub.subscribe(task.taskId, fakeViewer(clock, 'ws', ownerOf(hub.viewers)), undefined);
      return tooMany(() => hub.assertRoom('another'));
    };
  }),
  viewersPerOwnerMax: (['ws', 'sse', 'poll'] as const).map((what) =>
    most(1000, 'taken', 'RATE_LIMITED', () => ownersOf(what), `viewers by ${what}`),
  ),
  socketsPerOwnerMax: most(200, 'open', 429, async () => {
    const { door, ...rest } = await liveHost({});
    const one = (): Promise<'open' | number> => {
      const ws = dial({ door, ...rest });
      ws.on('error', () => undefined);
      return new Promise((resolve) => {
        ws.once('open', () => resolve('open'));
        ws.once('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0));
      });
    };
    return async (amount) => {
      while (door.sockets < amount - 1) await one();
      return one();
    };
  }),
  tasksPerSocketMax: most(5, 'all shown', 'one refused', async () => {
    const opened = await liveHost({ live: { tasksPerSocketMax: 5 } });
    return async (amount) => {
      const ws = dial(opened, '?extensions=multiplex');
      await once(ws, 'open');
      const words: string[] = [];
      ws.on('message', (data: Buffer) => words.push((JSON.parse(data.toString()) as { type: string }).type));
      for (let nth = 1; nth <= amount; nth += 1) ws.send(subscribe((await taskLog(opened.store)).taskId));
      await vi.waitFor(() => expect(words.filter((word) => word.startsWith('SUBSCRIPTION_'))).toHaveLength(amount));
      return words.includes('SUBSCRIPTION_ENDED') ? 'one refused' : 'all shown';
    };
  }),
  framesPerSecondMax: most(10, 'reads on', 'rests', () =>
    Promise.resolve(async (amount: number) => {
      const opened = await liveHost({ clock: fakeClock(), live: { framesPerSecondMax: 5 } });
      const ws = dial(opened, '?extensions=multiplex');
      await once(ws, 'open');
      const [socket] = opened.sockets;
      let answers = 0;
      ws.on('message', (data: Buffer) => (answers += data.includes('SUBSCRIPTION_ENDED') ? 1 : 0));
      for (let nth = 1; nth <= amount; nth += 1) {
        ws.send(subscribe('f'.repeat(32)));
        await vi.waitFor(() => expect(answers).toBe(nth));
      }
      return socket?.isPaused() ? 'rests' : 'reads on';
    }),
  ),
  subscribeMs: atLast(10_000, 'SUBSCRIPTION_CONFIRMED', 'closed 1000', () => async (amount) => {
    const clock = fakeClock();
    const opened = await liveHost({ clock, live: { heartbeatMs: 50_000 } });
    const task = await taskLog(opened.store);
    const ws = dial(opened);
    const word = firstWord(ws);
    await once(ws, 'open');
    clock.advance(amount);
    ws.send(subscribe(task.taskId));
    return word;
  }),
  clientFrameBytesMax: most(64 * 1024, 'SUBSCRIPTION_CONFIRMED', 'closed 1009', async () => {
    const opened = await liveHost({});
    const task = await taskLog(opened.store);
    return async (amount) => {
      const ws = dial(opened);
      const word = firstWord(ws);
      await once(ws, 'open');
      ws.send(subscribe(task.taskId).padEnd(amount));
      return word;
    };
  }),
  storeRetryMs: atLast(200, 1, 2, () => async (amount) => {
    const { store, clock, hub } = await hubFixture();
    const task = await taskLog(store);
    store.readFault = new Error('down');
    hub.subscribe(task.taskId, fakeViewer(clock), undefined);
    await quiesce();
    clock.advance(amount);
    await quiesce();
    return store.reads;
  }),
  storeTriesMax: {
    limit: 5,
    answers: ['open', 'cut', 'cut'],
    open: () => async (amount) => {
      const { store, clock, hub } = await hubFixture();
      const task = await taskLog(store);
      const viewer = fakeViewer(clock);
      store.readFault = new Error('down');
      hub.subscribe(task.taskId, viewer, undefined);
      await quiesce();
      while (store.reads < amount && viewer.state === 'open') {
        clock.advance(liveDefaults.storeRetryMs * 2 ** (store.reads - 1));
        await quiesce();
      }
      store.readFault = undefined;
      clock.advance(10_000);
      await quiesce();
      return viewer.state;
    },
  },
});

testBoundaries('the batches of streams', batchDefaults, {
  replayFactsMax: most(1000, '1 read', '2 reads', () => async (amount) => {
    const { store, clock, hub } = await hubFixture();
    const task = await taskLog(store);
    // Somebody watches already: the tail is open, and nothing has to be read twice for its sake.
    hub.subscribe(task.taskId, fakeViewer(clock), undefined);
    await task.append(amount, { textBytes: 2 });
    await quiesce();
    const before = store.reads;
    const viewer = fakeViewer(clock);
    hub.subscribe(task.taskId, viewer, undefined);
    while (viewer.ids.length < amount) await quiesce();
    const reads = store.reads - before;
    return reads === 1 ? '1 read' : `${reads} reads`;
  }),
  liveFactsMax: most(1000, '1 write', '2 writes', () => async (amount) => {
    const { clock, task, viewer } = await level();
    await task.append(amount, { textBytes: 2 });
    await quiesce();
    // What did not go in one write is read when that was taken.
    clock.advance(0);
    await quiesce();
    expect(viewer.ids).toEqual(task.ids);
    const writes = viewer.writes.length;
    return writes === 1 ? '1 write' : `${writes} writes`;
  }),
});
