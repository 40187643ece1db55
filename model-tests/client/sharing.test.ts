import { type Observation } from 'taskbridge/client';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { until } from '../support/until.ts';
import { createHarness, numbers, type Harness } from './harness.ts';
import { completed, facts, TASK, type Subscription } from '../support/scripted-server.ts';

let world: Harness;
beforeEach(async () => {
  world = await createHarness();
});
afterEach(() => world.close());

const upTo = (last: number): number[] => Array.from({ length: last }, (_, i) => i + 1);
const from = (lastEventId: string | null): number => Number(lastEventId?.split('-')[0] ?? 0) + 1;

/** A log that grows: every connection gets what it misses, and what is appended while it lives. */
function growingLog(begin: number): { append(to: number): void; end(): void; readonly begun: (string | null)[] } {
  const live = new Set<Subscription>();
  const begun: (string | null)[] = [];
  let last = begin;
  world.server.script.subscribed = (subscription) => {
    begun.push(subscription.lastEventId);
    subscription.confirm();
    subscription.send(...facts(from(subscription.lastEventId), last));
    live.add(subscription);
    subscription.socket.on('close', () => live.delete(subscription));
  };
  return {
    begun,
    append(to) {
      for (const { send } of live) send(...facts(last + 1, to));
      last = to;
    },
    end() {
      for (const { send } of live) send(completed(last + 1));
    },
  };
}
const reaches = (observation: Observation, n: number): Promise<unknown> =>
  until(observation, ({ task }) => task.lastEventId === `${n}-1000`);

describe('a second observer of a task', () => {
  test('shares the connection of the first, with a cursor of its own', async () => {
    const log = growingLog(5);
    const client = world.client();
    const first = client.observe(TASK);
    await reaches(first, 5);
    const all = numbers(client.observe(TASK, { lastEventId: '' }));
    const late = numbers(client.observe(TASK, { lastEventId: '3-1000' }));
    await eventually(() => world.server.open.size === 1);
    log.append(8);
    await reaches(first, 8);
    log.end();
    expect(await all).toEqual(upTo(9));
    expect(await late).toEqual([4, 5, 6, 7, 8, 9]);
    expect(log.begun).toEqual([null]);
  });

  test('catches up by itself where the first has come far, and shares from there on', async () => {
    const log = growingLog(1_000);
    const client = world.client();
    const first = client.observe(TASK);
    await reaches(first, 1_000);
    const second = client.observe(TASK, { lastEventId: '' });
    const all = numbers(second);
    await reaches(second, 1_000);
    await eventually(() => world.server.open.size === 1);
    log.append(1_010);
    await reaches(first, 1_010);
    log.end();
    expect(await all).toEqual(upTo(1_011));
    expect(log.begun).toEqual([null, null]);
  });

  test('is not held up by a slow one, which misses nothing', async () => {
    growingLog(0);
    world.server.script.subscribed = ({ confirm, send, lastEventId }) => {
      confirm();
      send(...facts(from(lastEventId), 299), completed(300));
    };
    const client = world.client({ limits: { undeliveredMax: 20 } });
    const slow = client.observe(TASK)[Symbol.asyncIterator]();
    const fast = await numbers(client.observe(TASK));
    expect(fast).toEqual(upTo(300));
    const rest: number[] = [];
    for await (const { eventId } of { [Symbol.asyncIterator]: () => slow }) rest.push(from(eventId) - 1);
    expect(rest).toEqual(upTo(300));
  });

  test('goes on when the first leaves, and the last one closes the connection', async () => {
    const log = growingLog(2);
    const client = world.client();
    const first = client.observe(TASK);
    const second = client.observe(TASK);
    await Promise.all([reaches(first, 2), reaches(second, 2)]);
    first.close();
    log.append(3);
    await reaches(second, 3);
    expect(first.getSnapshot()).toMatchObject({ connection: { state: 'closed' }, task: { lastEventId: '2-1000' } });
    expect(world.server.open.size).toBe(1);
    second.close();
    await eventually(() => world.server.open.size === 0);
    expect(log.begun).toEqual([null]);
  });

  test('in another context has a connection of its own', async () => {
    growingLog(2);
    const client = world.client();
    const observations = [client.observe(TASK, { context: { tenant: 'a' } }), client.observe(TASK, { context: { tenant: 'b' } })];
    await Promise.all(observations.map((observation) => reaches(observation, 2)));
    expect(world.server.open.size).toBe(2);
  });

  test('is told of the same fatal answer', async () => {
    world.server.script.subscribed = ({ confirm, socket }) => (confirm(), socket.close(1008));
    const client = world.client();
    const ends = [client.observe(TASK), client.observe(TASK)].map((observation) => numbers(observation));
    for (const end of ends) await expect(end).rejects.toMatchObject({ code: 'CONNECTION_REFUSED' });
    expect(world.server.seen).toEqual(['ws', 'get']);
  });
});
