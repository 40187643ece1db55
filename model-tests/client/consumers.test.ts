import { getEventListeners } from 'node:events';
import { memoryCheckpoints, type CheckpointStore, type Fact, type Observation } from 'taskbridge/client';
import { partOf, taskParts } from 'taskbridge/client/parts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { eventually, turns } from '../support/eventually.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { until } from '../support/until.ts';
import { createHarness, numbers, type Harness } from './harness.ts';
import { completed, fact, facts, snapshotAt, TASK } from '../support/scripted-server.ts';

let world: Harness;
beforeEach(async () => {
  world = await createHarness();
});
afterEach(() => world.close());

/** Serves a log of ten from wherever it is asked; ends when the log has ended. */
function serveLog(last = 10, ended = true): (string | null)[] {
  const begun: (string | null)[] = [];
  world.server.script.subscribed = ({ confirm, send, lastEventId }) => {
    begun.push(lastEventId);
    confirm();
    const from = Number(lastEventId?.split('-')[0] ?? 0) + 1;
    send(...facts(from, ended ? last - 1 : last));
    if (ended) send(completed(last));
  };
  return begun;
}
const key = (): string => `|${world.server.baseUrl}|${TASK}`;
const stored = async (store: CheckpointStore): Promise<{ eventId: string; taskEventId: string; v: number } | undefined> => {
  const text = await store.read(key());
  return text === undefined ? undefined : (JSON.parse(text) as { eventId: string; taskEventId: string; v: number });
};
const take = async (iterator: AsyncIterator<unknown>, count: number): Promise<string[]> => {
  const ids: string[] = [];
  for (let i = 0; i < count; i += 1) ids.push(((await iterator.next()).value as Fact).eventId);
  return ids;
};

describe('a checkpoint', () => {
  test('stands at the fact before the one in hand: leaving does not count', async () => {
    const begun = serveLog();
    const checkpoints = memoryCheckpoints();
    const client = world.client({ checkpoints });
    for await (const { eventId } of client.observe(TASK)) if (eventId === '4-1000') break;
    await client.close();
    expect(await stored(checkpoints)).toMatchObject({ v: 1, eventId: '3-1000' });
    expect(await numbers(world.client({ checkpoints }).observe(TASK))).toEqual([4, 5, 6, 7, 8, 9, 10]);
    expect(begun).toEqual([null, '3-1000']);
  });

  test('carries the projection, which may be ahead of the consumer', async () => {
    serveLog(8, false);
    const checkpoints = memoryCheckpoints();
    const client = world.client({ checkpoints });
    const observation = client.observe(TASK);
    const iterator = observation[Symbol.asyncIterator]();
    await take(iterator, 2);
    await until(observation, ({ task }) => task.lastEventId === '8-1000');
    await take(iterator, 1);
    await client.close();
    expect(await stored(checkpoints)).toMatchObject({ eventId: '2-1000', taskEventId: '8-1000' });
    const again = world.client({ checkpoints }).observe(TASK);
    const [first] = await take(again[Symbol.asyncIterator](), 1);
    expect(first).toBe('3-1000');
    expect(again.getSnapshot().task).toMatchObject({ lastEventId: '8-1000', partial: false, progress: { progress: 8 } });
    expect(world.server.seen).not.toContain('get');
  });

  test('moves with subscribers after they were notified, and goes with the terminal fact', async () => {
    const checkpoints = memoryCheckpoints();
    let finish: (() => void) | undefined;
    world.server.script.subscribed = ({ confirm, send }) => {
      confirm();
      send(...facts(1, 3));
      finish = () => send(completed(4));
    };
    const client = world.client({ checkpoints });
    const observation = client.observe(TASK);
    await until(observation, ({ task }) => task.lastEventId === '3-1000');
    await eventuallyStored(checkpoints, '3-1000');
    finish?.();
    await until(observation, ({ connection }) => connection.state === 'done');
    await client.close();
    expect(await stored(checkpoints)).toBeUndefined();
  });

  test('follows the slowest of several consumers', async () => {
    serveLog();
    const checkpoints = memoryCheckpoints();
    const client = world.client({ checkpoints });
    const observation = client.observe(TASK);
    const other = client.observe(TASK);
    const slow = observation[Symbol.asyncIterator]();
    const fast = observation[Symbol.asyncIterator]();
    const elsewhere = other[Symbol.asyncIterator]();
    await take(fast, 8);
    await take(slow, 5);
    await take(elsewhere, 3);
    await eventuallyStored(checkpoints, '2-1000');
    await take(elsewhere, 4);
    await eventuallyStored(checkpoints, '4-1000');
  });

  test('is not written at a place that a second consumer has not come to, where the store failed for that place, however its text grows', async () => {
    const clock = fakeClock();
    const kept = memoryCheckpoints();
    let failed = 0;
    const write: CheckpointStore['write'] = (name, text) => {
      if (!text.includes('"eventId":"3-1000"') || failed > 0) return kept.write(name, text);
      failed += 1;
      return Promise.reject(new Error('disk full'));
    };
    let grow = (): void => undefined;
    world.server.script.subscribed = ({ confirm, send }) => {
      confirm(['gap', 'parts']);
      send(fact(1, 'TASK_PART_OPENED', { name: 'answer', kind: 'text' }), ...facts(2, 4));
      const text = { type: 'PART', taskId: TASK, part: 1, eventId: '1-1000', name: 'answer', kind: 'text', snapshot: true, epoch: 'e' };
      let at = 0;
      grow = () => send({ ...text, at, to: (at += 1), text: '.' });
    };
    const client = world.client({
      transports: ['ws'],
      parts: taskParts({ limits: { storeMs: 777 } }),
      clock,
      checkpoints: { ...kept, write },
    });
    const first = client.observe(TASK)[Symbol.asyncIterator]();
    await take(first, 3);
    await eventuallyStored(kept, '2-1000');
    await take(first, 1);
    await eventually(() => failed === 1);
    const observation = client.observe(TASK);
    const second = observation[Symbol.asyncIterator]();
    expect(await take(second, 1)).toEqual(['3-1000']);
    const age = async (): Promise<void> => {
      const { length } = partOf(observation, 'answer').text;
      grow();
      await eventually(() => partOf(observation, 'answer').text.length > length && clock.armed.includes(777));
      clock.ring([777]);
      await turns(5);
    };
    await age();
    expect((await stored(kept))?.eventId).toBe('2-1000');
    await take(second, 1);
    await age();
    expect((await stored(kept))?.eventId).toBe('3-1000');
  });

  test('of a newer version is dropped', async () => {
    const begun = serveLog();
    const checkpoints = memoryCheckpoints();
    await checkpoints.write(key(), JSON.stringify({ v: 2, eventId: '5-1000' }));
    await numbers(world.client({ checkpoints }).observe(TASK));
    expect(begun).toEqual([null]);
  });

  test('without a usable task makes the projection begin at the snapshot', async () => {
    serveLog(8, false);
    world.server.script.snapshot = () => snapshotAt('7-1000', 'suspended');
    const checkpoints = memoryCheckpoints();
    await checkpoints.write(
      key(),
      JSON.stringify({ v: 1, eventId: '5-1000', task: { task: { v: 99 }, suspensions: {} }, taskEventId: '6-1000' }),
    );
    const observation = world.client({ checkpoints }).observe(TASK);
    await until(observation, ({ task }) => task.lastEventId === '8-1000' && task.state === 'suspended');
    expect(world.server.seen).toContain('get');
  });

  test('never moves backwards when somebody observes from the start', async () => {
    serveLog();
    const checkpoints = memoryCheckpoints();
    await checkpoints.write(key(), JSON.stringify({ v: 1, eventId: '8-1000', task: null, taskEventId: null }));
    const client = world.client({ checkpoints });
    await take(client.observe(TASK, { lastEventId: '' })[Symbol.asyncIterator](), 5);
    await client.close();
    expect((await stored(checkpoints))?.eventId).toBe('8-1000');
  });

  test('is kept for each namespace and server apart', async () => {
    serveLog();
    const checkpoints = memoryCheckpoints();
    const leaveAfter = async (eventId: string, options: object): Promise<void> => {
      const client = world.client({ checkpoints, ...options });
      for await (const one of client.observe(TASK)) if (one.eventId === eventId) break;
      await client.close();
    };
    await leaveAfter('4-1000', { checkpointNamespace: 'ada' });
    await leaveAfter('6-1000', { checkpointNamespace: 'eve' });
    await leaveAfter('9-1000', { checkpointNamespace: 'eve', baseUrl: `${world.server.baseUrl}/behind/` });
    const kept = async (where: string): Promise<unknown> => JSON.parse((await checkpoints.read(where)) ?? 'null');
    expect(await kept(`ada|${world.server.baseUrl}|${TASK}`)).toMatchObject({ eventId: '3-1000' });
    expect(await kept(`eve|${world.server.baseUrl}|${TASK}`)).toMatchObject({ eventId: '5-1000' });
    expect(await kept(`eve|${world.server.baseUrl}/behind|${TASK}`)).toMatchObject({ eventId: '8-1000' });
    expect(await stored(checkpoints)).toBeUndefined();
  });

  test('gives way to the cursor that the caller named, also after the whole ladder has failed', async () => {
    const begun = serveLog();
    const { script, seen } = world.server;
    script.upgrade = () => (seen.filter((name) => name === 'ws').length < 4 ? 503 : undefined);
    script.stream = (response) => void response.writeHead(503).end();
    script.poll = () => [503, {}];
    const checkpoints = memoryCheckpoints();
    await checkpoints.write(key(), JSON.stringify({ v: 1, eventId: '8-1000', task: null, taskEventId: null }));
    expect(await numbers(world.client({ checkpoints }).observe(TASK, { lastEventId: '2-1000' }))).toEqual([3, 4, 5, 6, 7, 8, 9, 10]);
    expect(seen.filter((name) => name !== 'get')).toEqual(['ws', 'ws', 'ws', 'sse', 'sse', 'sse', 'poll', 'ws']);
    expect(begun).toEqual(['2-1000']);
  });

  test('store that fails is reported and survived', async () => {
    serveLog();
    const reports: string[] = [];
    const fail = (): Promise<never> => Promise.reject(new Error('disk full'));
    const client = world.client({
      checkpoints: { read: fail, write: fail, remove: fail },
      onReport: ({ type }) => void reports.push(type),
    });
    expect(await numbers(client.observe(TASK))).toHaveLength(10);
    await client.close();
    expect(new Set(reports)).toEqual(new Set(['checkpoint']));
  });

  test('store that never answers holds up neither facts nor the end of the client, and is asked again once it has answered', async () => {
    serveLog();
    const clock = fakeClock();
    const reports: unknown[] = [];
    const { read, ...kept } = memoryCheckpoints();
    let answer: (() => void) | undefined;
    let asked = 0;
    const stuck = (): Promise<never> => ((asked += 1), new Promise((_, reject) => (answer = () => reject(new Error('late')))));
    const checkpoints: CheckpointStore = { ...kept, read: stuck };
    const client = world.client({ clock, checkpoints, onReport: (report) => 'cause' in report && reports.push(report.cause) });
    const delivered = numbers(client.observe(TASK));
    await eventually(() => clock.armed.length === 1);
    clock.advance(4_999);
    expect(world.server.seen).toEqual([]);
    clock.advance(1);
    expect(await delivered).toHaveLength(10);
    await client.close();
    expect([asked, reports.length > 1]).toEqual([1, true]);
    for (const report of reports) expect(report).toMatchObject({ code: 'TIMEOUT' });
    answer?.();
    await new Promise((resolve) => setImmediate(resolve));
    checkpoints.read = read;
    const next = world.client({ clock, checkpoints, onReport: (report) => expect(report).toBeUndefined() });
    expect(await numbers(next.observe(TASK))).toHaveLength(10);
  });

  test.each(['write', 'remove'] as const)('store that never ends a %s does not hold up the end of the client', async (what) => {
    serveLog();
    const clock = fakeClock();
    const checkpoints = { ...memoryCheckpoints(), [what]: () => new Promise<never>(() => undefined) };
    const client = world.client({ clock, checkpoints, hideAnswered: true });
    expect(await numbers(client.observe(TASK))).toHaveLength(10);
    const closed = client.close();
    await eventually(() => clock.armed.length > 0);
    clock.advance(5_000);
    await closed;
    expect(clock.armed).toEqual([]);
  });

  async function eventuallyStored(store: CheckpointStore, eventId: string): Promise<void> {
    let last: string | undefined;
    await eventually(() => {
      void stored(store).then((value) => (last = value?.eventId));
      return last === eventId;
    });
  }
});

describe('a consumer that falls behind', () => {
  test('makes the client stop reading, and gets everything when it goes on', async () => {
    const begun = serveLog(40);
    const observation = world.client({ limits: { undeliveredMax: 5 } }).observe(TASK);
    const iterator = observation[Symbol.asyncIterator]();
    expect(await take(iterator, 1)).toEqual(['1-1000']);
    await eventually(() => observation.getSnapshot().connection.state === 'paused' && world.server.open.size === 0);
    const rest: number[] = [];
    for await (const { eventId } of { [Symbol.asyncIterator]: () => iterator as AsyncIterator<Fact> })
      rest.push(Number(eventId.split('-')[0]));
    expect(rest).toEqual(Array.from({ length: 39 }, (_, i) => i + 2));
    expect(begun.length).toBeGreaterThan(3);
  });

  test('does not hold up an observation that is only subscribed to', async () => {
    serveLog(40);
    const observation = world.client({ limits: { undeliveredMax: 5 } }).observe(TASK);
    await until(observation, ({ connection }) => connection.state === 'done');
    expect(() => observation[Symbol.asyncIterator]()).toThrow(expect.objectContaining({ code: 'FACTS_RELEASED' }));
  });
});

describe('subscribers', () => {
  test('hear once of a batch, and get the same snapshot until something changes', async () => {
    world.server.script.poll = () => ({
      taskId: TASK,
      events: [...facts(1, 50), completed(51)],
      nextAfterEventId: '51-1000',
      hasMore: false,
    });
    const observation = world.client({ transports: ['poll'] }).observe(TASK);
    const heard: (string | null)[] = [];
    observation.subscribe(({ task }) => void heard.push(task.lastEventId));
    await until(observation, ({ connection }) => connection.state === 'done');
    expect(new Set(heard)).toEqual(new Set([null, '51-1000']));
    expect(observation.getSnapshot()).toBe(observation.getSnapshot());
    expect(observation.actor.getSnapshot().context).toBe(observation.getSnapshot());
  });
});

describe('closing', () => {
  const watch = async (transport: 'ws' | 'sse' | 'poll', close: (observation: Observation) => Promise<void> | void): Promise<void> => {
    const clock = fakeClock();
    const { script, open } = world.server;
    script.stream = (response) => void response.writeHead(200).write(': hi\n\n');
    script.poll = (query) =>
      query.get('waitTimeoutMs') === '0' ? { taskId: TASK, events: [], nextAfterEventId: null, hasMore: false } : undefined;
    const observation = world.client({ clock, transports: [transport] }).observe(TASK);
    const next = observation[Symbol.asyncIterator]().next();
    next.catch(() => undefined);
    await until(observation, ({ connection }) => connection.state === 'live');
    await close(observation);
    await expect(next).rejects.toMatchObject({ code: 'CLOSED' });
    await eventually(() => clock.armed.length === 0);
    expect(observation.getSnapshot().connection.state).toBe('closed');
    await eventually(() => open.size === 0);
  };

  test.each(['ws', 'sse', 'poll'] as const)('an observation over %s leaves no timer and no connection', (transport) =>
    watch(transport, (observation) => observation.close()),
  );

  test('by a signal fails the iterators with the reason as cause', async () => {
    const controller = new AbortController();
    const observation = world.client().observe(TASK, { signal: controller.signal });
    const next = observation[Symbol.asyncIterator]().next();
    const reason = new Error('left the page');
    controller.abort(reason);
    await expect(next).rejects.toMatchObject({ code: 'ABORTED', cause: reason });
  });

  test('by one signal of all is no leak to Node, however many they are', async () => {
    const warnings: string[] = [];
    const onWarning = ({ message }: Error): void => void warnings.push(message);
    process.on('warning', onWarning);
    const controller = new AbortController();
    const { signal } = controller;
    const client = world.client();
    const observations = Array.from({ length: 30 }, () => client.observe(TASK, { signal }));
    const calls = Array.from({ length: 30 }, () => client.get(TASK, { signal }).catch(({ code }: { code: string }) => code));
    await new Promise((resolve) => setImmediate(resolve));
    controller.abort();
    for (const observation of observations) expect(observation.getSnapshot().connection.state).toBe('closed');
    expect(new Set(await Promise.all(calls))).toEqual(new Set(['ABORTED']));
    process.off('warning', onWarning);
    expect(warnings).toEqual([]);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  test('before it has begun leaves nothing with the client', async () => {
    const client = world.client();
    const observation = client.observe(TASK, { signal: AbortSignal.abort() });
    let closed = 0;
    observation.close = () => void (closed += 1);
    await client.close();
    expect([observation.getSnapshot().connection.state, closed, world.server.seen]).toEqual(['closed', 0, []]);
  });

  test('happens by itself when the last iterator leaves and nobody subscribes', async () => {
    world.server.script.subscribed = ({ confirm, send }) => (confirm(), send(fact(1), fact(2)));
    const observation = world.client().observe(TASK);
    for await (const _ of observation) break;
    expect(observation.getSnapshot().connection.state).toBe('closed');
    await eventually(() => world.server.open.size === 0);
  });

  test('the client closes its observations and refuses new calls', async () => {
    const client = world.client();
    const observation = client.observe(TASK);
    await until(observation, ({ connection }) => connection.state === 'live');
    await client.close();
    expect(observation.getSnapshot().connection.state).toBe('closed');
    expect(() => client.observe(TASK)).toThrow(expect.objectContaining({ code: 'CLOSED' }));
    await expect(client.get(TASK)).rejects.toMatchObject({ code: 'CLOSED' });
  });
});
