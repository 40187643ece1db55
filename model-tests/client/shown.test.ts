import type { Observation, ObservationSnapshot, TaskView } from 'taskbridge/client';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { eventually, turns } from '../support/eventually.ts';
import { completed, fact, facts, snapshotAt, TASK, writeEvents } from '../support/scripted-server.ts';
import { until } from '../support/until.ts';
import { createHarness, numbers, type Harness } from './harness.ts';

let world: Harness;
beforeEach(async () => {
  world = await createHarness();
});
afterEach(() => world.close());

const transports = ['ws', 'sse', 'poll'] as const;
const heartbeat = { type: 'HEARTBEAT', taskId: TASK, payload: { live: true, extensions: ['gap'] } };
const question = (suspendId: string): object => ({
  suspendId,
  kind: 'USER_ACTION_REQUIRED',
  reasonCode: 'R',
  allowedActions: ['left'],
  schemaVersion: 1,
  interaction: { samples: [1, 2, { deep: ['x'] }] },
});

/** Serves this log over every transport, as our server does; what is sent later goes over the one that is live. */
function serve(...log: readonly object[]): (...sent: readonly object[]) => void {
  const { script } = world.server;
  let push: ((sent: readonly object[]) => void) | undefined;
  script.subscribed = ({ confirm, send }) => {
    confirm(['gap']);
    send(...log);
    push = (sent) => send(...sent);
  };
  script.stream = (response) => {
    writeEvents(response, heartbeat, ...log);
    push = (sent) => writeEvents(response, ...sent);
  };
  script.poll = (query) => {
    if (query.get('afterEventId') !== null) return undefined;
    const last = log.at(-1) as { readonly eventId: string } | undefined;
    return { taskId: TASK, events: log, nextAfterEventId: last?.eventId ?? null, hasMore: false, terminal: false };
  };
  return (...sent) => push?.(sent);
}

const reaches = (observation: Observation, n: number): Promise<ObservationSnapshot> =>
  until(observation, ({ task }) => task.lastEventId === `${n}-1000`);

describe('a snapshot', () => {
  test.each(['ws', 'sse'] as const)('is told of once a batch, and only where something changed, over %s', async (transport) => {
    const push = serve(fact(1));
    const observation = world.client({ transports: [transport] }).observe(TASK);
    await reaches(observation, 1);
    await turns(20);
    const told: ObservationSnapshot[] = [];
    observation.subscribe((snapshot) => void told.push(snapshot));
    for (let n = 2; n <= 11; n += 1) {
      push(fact(n));
      await reaches(observation, n);
      await turns(5);
    }
    const before = observation.getSnapshot();
    // Signs of life, and what was delivered before, change nothing that is shown.
    push(fact(11), heartbeat, heartbeat, fact(10));
    await turns(50);
    expect(told.map(({ task }) => task.lastEventId)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11].map((n) => `${n}-1000`));
    expect(observation.getSnapshot()).toBe(before);
  });

  test('has the same parts until they say something else, also where facts and the server’s snapshot say them again', async () => {
    const asked = { progress: { progress: 42 }, suspensions: [question('a'), question('b')] };
    world.server.script.snapshot = () => snapshotAt('9-1000', 'suspended', asked);
    const push = serve(
      fact(1, 'TASK_PROGRESS', { progress: 42 }),
      fact(2, 'TASK_SUSPENDED', question('a')),
      fact(3, 'TASK_SUSPENDED', question('b')),
    );
    const observation = world.client().observe(TASK);
    const seen: TaskView[] = [(await reaches(observation, 3)).task];
    observation.subscribe(({ task }) => void seen.push(task));
    push(fact(4, 'TASK_PROGRESS', { progress: 42 }), fact(5, 'TASK_MESSAGE', { message: 'hi' }));
    await reaches(observation, 5);
    push({ type: 'GAP', taskId: TASK, reason: 'trimmed', firstEventId: '9-1000' }, fact(9, 'TASK_PROGRESS', { progress: 42 }));
    await reaches(observation, 9);
    const [first, ...later] = seen;
    expect(later.length).toBeGreaterThan(1);
    for (const task of later) {
      expect(task.openSuspensions).toBe(first?.openSuspensions);
      expect(task.progress).toBe(first?.progress);
    }
    push(fact(10, 'TASK_ACTION_ACCEPTED', { suspendId: 'a', clientActionId: 'c', actionType: 'left', acceptedAt: '2026-01-01T00:00:00Z' }));
    const { task } = await reaches(observation, 10);
    expect(task.openSuspensions).toHaveLength(1);
    expect(task.openSuspensions[0]).toBe(first?.openSuspensions[1]);
  });
});

describe('what is known of a task', () => {
  test.each(transports)('is pending until its first fact, over %s', async (transport) => {
    serve(fact(1));
    const observation = world.client({ transports: [transport] }).observe(TASK);
    expect(observation.getSnapshot()).toMatchObject({ known: 'pending', task: { terminal: false } });
    const seen: (string | null)[] = [];
    observation.subscribe(({ known, task }) => void (known === 'pending' && seen.push(task.lastEventId)));
    expect(await reaches(observation, 1)).toMatchObject({ known: 'known' });
    expect(new Set(seen)).toEqual(new Set(seen.length > 0 ? [null] : []));
  });

  test.each(transports)('is its empty log, once the server says over %s that there is nothing to tell', async (transport) => {
    const push = serve();
    const observation = world.client({ transports: [transport] }).observe(TASK);
    if (transport !== 'poll') {
      await until(observation, ({ connection }) => connection.state === 'live');
      await turns(20);
      // A confirmation comes before the history.
      expect(observation.getSnapshot().known).toBe('pending');
      push(heartbeat);
    }
    const { task } = await until(observation, ({ known }) => known === 'known');
    expect(task).toMatchObject({ state: 'accepted', lastEventId: null, partial: false });
  });

  test('comes from the snapshot where the observation begins in the middle', async () => {
    world.server.script.snapshot = () => snapshotAt('5-1000', 'suspended');
    const observation = world.client().observe(TASK, { lastEventId: '5-1000' });
    expect(observation.getSnapshot().known).toBe('pending');
    await until(observation, ({ task }) => task.partial);
    expect((await until(observation, ({ known }) => known === 'known')).task).toMatchObject({ state: 'suspended', partial: false });
  });

  test.each([
    ['missing', 404, 'TASK_NOT_FOUND', 'server'],
    ['error', 403, 'TASK_OWNERSHIP_ERROR', 'server'],
  ] as const)('is %s where the server answers %i %s', async (expected, status, code, codeFrom) => {
    world.server.script.upgrade = () => [status, { code, message: 'no' }];
    const observation = world.client({ transports: ['ws'] }).observe(TASK);
    const { known, connection } = await until(observation, ({ connection: { state } }) => state === 'failed');
    expect(known).toBe(expected);
    expect(connection.error).toMatchObject({ code, codeFrom });
  });

  test('stays known after a failure, and pending where its owner closes it', async () => {
    const { script } = world.server;
    script.subscribed = ({ confirm, send, socket }) => (confirm(), send(fact(1)), socket.close(1008));
    const client = world.client();
    const failed = client.observe(TASK);
    expect(await until(failed, ({ connection }) => connection.state === 'failed')).toMatchObject({ known: 'known' });
    const closed = client.observe(TASK);
    closed.close();
    expect(closed.getSnapshot()).toMatchObject({ known: 'pending', connection: { state: 'closed' } });
  });
});

describe('a late join of a trimmed log', () => {
  test.each(transports)('is told as a gap, and is partial until the snapshot says more, over %s', async (transport) => {
    let answer: ((body: object) => void) | undefined;
    world.server.script.lateSnapshot = (respond) => (answer = respond);
    serve(...facts(6, 7));
    const told: object[] = [];
    const reports: object[] = [];
    const context = { tenant: 'north' };
    const observation = world
      .client({
        transports: [transport],
        listener: { onGap: (gap) => void told.push(gap) },
        onReport: (report) => void (report.type === 'gap' && reports.push(report)),
      })
      .observe(TASK, { context });
    const taken = numbers(observation).catch(() => undefined);
    await eventually(() => answer !== undefined);
    expect(await until(observation, ({ connection }) => connection.continuity === 'gap')).toMatchObject({
      known: 'pending',
      task: { partial: true, state: 'joined' },
    });
    answer?.(snapshotAt('6-1000', 'suspended'));
    expect(await reaches(observation, 7)).toMatchObject({ known: 'known', task: { partial: false, state: 'suspended' } });
    const gap = { taskId: TASK, context, reason: 'trimmed', firstEventId: '6-1000' };
    expect(told).toEqual([{ ...gap, source: transport }]);
    expect(reports).toEqual([{ ...gap, type: 'gap', transport }]);
    observation.close();
    await taken;
  });

  test('is none where the log is whole, or the cursor named its place', async () => {
    const gaps: unknown[] = [];
    const client = world.client({ listener: { onGap: (gap) => void gaps.push(gap) } });
    serve(fact(1), completed(2));
    expect(await numbers(client.observe(TASK))).toEqual([1, 2]);
    serve(fact(6), completed(7));
    expect(await numbers(client.observe(TASK, { lastEventId: '5-1000' }))).toEqual([6, 7]);
    expect(gaps).toEqual([]);
  });
});
