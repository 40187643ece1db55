import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ClientReport } from 'taskbridge/client';
import { storeAggregate, emptyAggregate, fold } from 'taskbridge/machines';
import type { Fact } from 'taskbridge/wire';
import { eventually } from '../support/eventually.ts';
import { until } from '../support/until.ts';
import { createHarness, numbers, type Harness } from './harness.ts';
import { completed, fact, facts, snapshotAt, TASK, writeEvents } from '../support/scripted-server.ts';

let world: Harness;
beforeEach(async () => {
  world = await createHarness();
});
afterEach(() => world.close());

describe('facts', () => {
  test('come once: older and equal ids are not delivered again', async () => {
    world.server.script.subscribed = ({ confirm, send }) => (confirm(), send(fact(1), fact(2), fact(1), fact(2), fact(3), completed(4)));
    expect(await numbers(world.client().observe(TASK))).toEqual([1, 2, 3, 4]);
  });

  test('whose ids cannot be compared are told apart by the last 256', async () => {
    const odd = (eventId: string): object => ({ ...fact(1), eventId });
    const ids: string[] = [];
    world.server.script.subscribed = ({ confirm, send }) => (
      confirm(),
      send(odd('a'), odd('b'), odd('a'), odd('c'), { ...completed(1), eventId: 'z' })
    );
    for await (const { eventId } of world.client().observe(TASK)) ids.push(eventId);
    expect(ids).toEqual(['a', 'b', 'c', 'z']);
  });

  test('after a hole are asked for again where the server says that its ids are dense', async () => {
    const { script } = world.server;
    const begun: (string | null)[] = [];
    script.subscribed = ({ confirm, send, lastEventId }) => {
      begun.push(lastEventId);
      confirm(['gap']);
      if (begun.length === 1) send(fact(1), fact(3));
      else send(fact(2), fact(3), completed(4));
    };
    expect(await numbers(world.client().observe(TASK))).toEqual([1, 2, 3, 4]);
    expect(begun).toEqual([null, '1-1000']);
  });

  test('after a hole are delivered where the server says nothing', async () => {
    world.server.script.subscribed = ({ confirm, send }) => (confirm(), send(fact(1), completed(3)));
    expect(await numbers(world.client().observe(TASK))).toEqual([1, 3]);
  });

  test('of unknown types and with odd payloads are passed on, frames without sense are reported and skipped', async () => {
    const reports: ClientReport[] = [];
    world.server.script.subscribed = ({ confirm, send, socket }) => {
      confirm();
      send(fact(1, 'TASK_SANG', { song: 'x' }), { ...fact(2), payload: null }, { ...fact(3), taskId: 'another' });
      socket.send('no json');
      send(fact(4), { type: 'TASK_COMPLETED', taskId: TASK, eventId: '5-1000', createdAt: 'x' });
    };
    const observation = world.client({ onReport: (report) => void reports.push(report) }).observe(TASK);
    expect(await numbers(observation)).toEqual([1, 2, 4, 5]);
    expect(reports.map(({ type }) => type)).toEqual(['malformed', 'malformed']);
  });

  test('after three malformed frames in a row come over a new connection', async () => {
    const { script, seen } = world.server;
    script.subscribed = ({ confirm, send, socket }) => {
      confirm();
      if (seen.length > 1) return send(completed(1));
      for (const text of ['{', '[]', 'null']) socket.send(text);
    };
    expect(await numbers(world.client().observe(TASK))).toEqual([1]);
    expect(seen).toEqual(['ws', 'ws']);
  });

  test('fold to the same aggregate as the log', async () => {
    const log = [
      fact(1, 'TASK_STARTED', {}),
      fact(2),
      fact(3, 'TASK_SUSPENDED', { suspendId: 's', kind: 'USER_ACTION_REQUIRED', reasonCode: 'R', allowedActions: ['a'], schemaVersion: 1 }),
      fact(4, 'TASK_ACTION_ACCEPTED', { suspendId: 's', clientActionId: 'c', actionType: 'a', acceptedAt: '2026-01-01T00:00:00Z' }),
      completed(5),
    ] as Fact[];
    world.server.script.subscribed = ({ confirm, send }) => (confirm(), send(...log));
    const shown: string[] = [];
    const inspect = (event: { type: string; actorRef: { id: string }; event?: { type: string } }): void => {
      if (event.type === '@xstate.event' && event.event?.type.startsWith('TASK_')) shown.push(`${event.actorRef.id} ${event.event.type}`);
    };
    const observation = world.client({ inspect: inspect as never }).observe(TASK);
    let expected = emptyAggregate;
    for await (const each of observation) {
      expected = fold(expected, each);
      if (each.eventId === '5-1000') expect(storeAggregate(observation.getSnapshot().task.aggregate)).toEqual(storeAggregate(expected));
    }
    expect(shown.filter((line) => line.startsWith('task '))).toEqual(log.map(({ type }) => `task ${type}`));
    expect(shown.filter((line) => line.startsWith('questions.'))).toEqual([
      'questions.s TASK_SUSPENDED',
      'questions.s TASK_ACTION_ACCEPTED',
    ]);
  });
});

describe('a gap', () => {
  test('is told, and the projection goes on from the snapshot', async () => {
    const { script } = world.server;
    script.snapshot = () => snapshotAt('8-1000', 'suspended');
    script.subscribed = ({ confirm, send, lastEventId }) => {
      expect(lastEventId).toBe('2-1000');
      confirm(['gap']);
      send({ type: 'GAP', taskId: TASK, reason: 'trimmed', firstEventId: '7-1000' }, fact(7), fact(8));
    };
    const observation = world.client().observe(TASK, { lastEventId: '2-1000' });
    const seen: string[] = [];
    const all = (async () => {
      for await (const { eventId } of observation) seen.push(eventId);
    })();
    const { connection, task } = await until(
      observation,
      (snapshot) => snapshot.task.state === 'suspended' && snapshot.connection.continuity === 'gap',
    );
    expect(connection.state).toBe('live');
    expect(task).toMatchObject({ progress: { progress: 42 }, lastEventId: '8-1000' });
    await eventually(() => seen.length === 2);
    expect(seen).toEqual(['7-1000', '8-1000']);
    observation.close();
    await expect(all).rejects.toMatchObject({ code: 'CLOSED' });
  });

  test('by a replaced history gives the cursor up, on a stream and on a page', async () => {
    const { script } = world.server;
    script.stream = (response) => {
      writeEvents(response, {
        type: 'GAP',
        taskId: TASK,
        eventId: '',
        createdAt: '',
        payload: { reason: 'reset', firstEventId: '1-2000' },
      });
      writeEvents(response, fact(1), completed(2));
    };
    script.poll = () => ({
      taskId: TASK,
      events: [fact(1), completed(2)],
      nextAfterEventId: '2-1000',
      hasMore: false,
      gap: { reason: 'reset', firstEventId: '1-1000' },
    });
    for (const transport of ['sse', 'poll'] as const) {
      const observation = world.client({ transports: [transport] }).observe(TASK, { lastEventId: '50-1000' });
      expect(await numbers(observation)).toEqual([1, 2]);
      expect(observation.getSnapshot().connection.continuity).toBe('reset');
    }
  });

  test('at the start of a trimmed log is closed by the snapshot', async () => {
    const { script } = world.server;
    script.snapshot = () => snapshotAt('6-1000', 'suspended');
    script.subscribed = ({ confirm, send }) => (confirm(['gap']), send(fact(6)));
    const observation = world.client().observe(TASK);
    const { task } = await until(observation, (snapshot) => snapshot.task.state === 'suspended');
    expect(task.progress).toEqual({ progress: 42 });
  });
});

describe('an observation that begins in the middle', () => {
  test('is partial where the server has no snapshot', async () => {
    world.server.script.subscribed = ({ confirm, send }) => (confirm(), send(fact(6, 'TASK_MESSAGE', { message: 'hi' })));
    const observation = world.client().observe(TASK, { lastEventId: '5-1000' });
    const { task } = await until(observation, (snapshot) => snapshot.task.lastEventId === '6-1000');
    expect(task).toMatchObject({ partial: true, state: 'joined', status: 'RUNNING' });
  });

  test('delivers older facts than the snapshot that it projects', async () => {
    const { script } = world.server;
    script.snapshot = () => snapshotAt('8-1000', 'suspended');
    script.subscribed = ({ confirm, send }) => (confirm(), send(...facts(6, 8), completed(9)));
    const observation = world.client().observe(TASK, { lastEventId: '5-1000' });
    expect(await numbers(observation)).toEqual([6, 7, 8, 9]);
    await until(observation, ({ task }) => task.terminal);
  });

  test('ends with the whole task even where the snapshot comes after the end of the log', async () => {
    const { script } = world.server;
    let answer: ((body: object) => void) | undefined;
    script.lateSnapshot = (respond) => (answer = respond);
    script.subscribed = ({ confirm, send }) => (confirm(), send(fact(6), completed(7)));
    const observation = world.client().observe(TASK, { lastEventId: '5-1000' });
    const heard = until(observation, ({ task }) => task.terminal);
    const all = numbers(observation);
    await eventually(() => answer !== undefined && observation.getSnapshot().connection.state === 'done');
    expect(observation.getSnapshot().task.terminal).toBe(false);
    answer?.(snapshotAt('6-1000', 'suspended'));
    expect(await all).toEqual([6, 7]);
    const whole = { state: 'completed', result: 'all', progress: { progress: 42 } };
    expect(observation.getSnapshot().task).toMatchObject(whole);
    expect((await heard).task).toMatchObject(whole);
  });

  test('ends an iterator that waits for the snapshot when it is closed', async () => {
    const { script } = world.server;
    script.lateSnapshot = () => undefined;
    script.subscribed = ({ confirm, send }) => (confirm(), send(fact(6), completed(7)));
    const observation = world.client().observe(TASK, { lastEventId: '5-1000' });
    const all = numbers(observation);
    await eventually(() => observation.getSnapshot().connection.state === 'done');
    observation.close();
    expect(await all).toEqual([6, 7]);
  });
});

describe('a snapshot of another history than that of the facts, as another node has it while two masters are written to,', () => {
  const others: readonly [string, string][] = [
    ['has another fact under a number', '7-2000'],
    ['goes on after the end', '20-1000'],
    ['ends before the cursor', '3-1000'],
  ];

  async function observed(snapshots: readonly object[]) {
    const { script } = world.server;
    let asked = 0;
    script.snapshot = () => snapshots[Math.min(asked++, snapshots.length - 1)] ?? {};
    script.subscribed = ({ confirm, send }) => (confirm(['gap']), send(...facts(6, 8), completed(9)));
    const observation = world.client().observe(TASK, { lastEventId: '5-1000' });
    expect(await numbers(observation)).toEqual([6, 7, 8, 9]);
    return { asked, task: observation.getSnapshot().task };
  }

  test.each(others)('is asked for again: one that %s', async (_what, lastEventId) => {
    const { asked, task } = await observed([snapshotAt(lastEventId, 'cancelling'), snapshotAt('8-1000', 'suspended')]);
    expect(task).toMatchObject({ state: 'completed', result: 'all', lastEventId: '9-1000', partial: false });
    expect(asked).toBe(2);
  });

  test.each(others)('is given up for what the facts say, in the end: one that %s', async (_what, lastEventId) => {
    const { asked, task } = await observed([snapshotAt(lastEventId, 'cancelling')]);
    expect(task).toMatchObject({ state: 'completed', result: 'all', lastEventId: '9-1000' });
    // One more where the first was there before the facts.
    expect([3, 4]).toContain(asked);
  });
});
