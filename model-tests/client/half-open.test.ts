import type { Socket } from 'node:net';
import type { Gate } from 'taskbridge/client/node';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { eventually, turns } from '../support/eventually.ts';
import { fakeClock, type FakeClock } from '../support/fake-clock.ts';
import { completed, fact, snapshotAt, TASK } from '../support/scripted-server.ts';
import { createBlackHole, type BlackHole } from './black-hole.ts';
import { createHarness, type Harness } from './harness.ts';

let world: Harness;
let hole: BlackHole;
let clock: FakeClock;
let begun: number;
beforeEach(async () => {
  world = await createHarness();
  hole = await createBlackHole(world.server.baseUrl);
  clock = fakeClock();
  begun = clock.now();
  world.server.script.snapshot = () => snapshotAt(null);
});
afterEach(async () => {
  await world.close();
  await hole.close();
});

const receipt = { taskId: TASK, suspendId: 's', clientActionId: 'c', status: 'ACCEPTED' };
const answer = { suspendId: 's', actionType: 'yes' };
const seconds = (): number => (clock.now() - begun) / 1000;

/** So much time passes, once a timer is set to it. */
async function pass(ms: number): Promise<void> {
  await eventually(
    () => clock.armed.includes(ms),
    () => `for a timer of ${ms} ms among ${clock.armed.join(', ')}`,
  );
  clock.advance(ms);
}

/** A gate that is set. */
function newGate(): Gate & { set(open: boolean): void; readonly listeners: Set<(open: boolean) => void> } {
  const listeners = new Set<(open: boolean) => void>();
  let isOpen = true;
  return {
    listeners,
    isOpen: () => isOpen,
    subscribe: (listener) => (listeners.add(listener), () => void listeners.delete(listener)),
    set(open) {
      isOpen = open;
      for (const listener of [...listeners]) listener(open);
    },
  };
}

/** A client whose kept connection is dead, and the bodies that reach the server. */
async function stranded(gate = newGate(), limits: { readonly commandRetriesMax?: number } = {}) {
  const bodies: string[] = [];
  world.server.script.command = (_, body) => (bodies.push(body), [200, receipt]);
  const client = world.client({ baseUrl: hole.url, clock, gate, limits });
  await client.get(TASK);
  // It is free for another request a few turns later.
  await turns(20);
  hole.swallow();
  return { client, gate, bodies };
}

describe('a command over a connection that is dead without a word', () => {
  test('is answered over a new one, after the time of one try and a rest', async () => {
    const { client, bodies } = await stranded();
    const acted = client.act(TASK, answer);
    await eventually(() => hole.swallowedBytes > 0);
    await pass(30_000);
    await pass(550);
    expect(await acted).toEqual(receipt);
    expect([seconds(), bodies.length]).toEqual([30.55, 1]);
    // How many more is for `fetch` to say: Node 24 makes one at once for which it has no use.
    expect(hole.made).toBeGreaterThan(1);
  });

  test('is sent again at once where the gate opens again, and costs no try', async () => {
    const { client, gate, bodies } = await stranded(newGate(), { commandRetriesMax: 0 });
    const acted = client.act(TASK, answer);
    await eventually(() => hole.swallowedBytes > 0);
    gate.set(false);
    gate.set(true);
    expect(await acted).toEqual(receipt);
    expect([seconds(), bodies.length]).toEqual([0, 1]);
    expect([gate.listeners.size, clock.armed]).toEqual([0, []]);
  });

  test('goes on while the gate is closed: what is under way may still be answered', async () => {
    const gate = newGate();
    let answerIt = (): void => undefined;
    const client = world.client({ baseUrl: hole.url, clock, gate });
    world.server.script.lateSnapshot = (respond) => (answerIt = () => respond(snapshotAt(null)));
    const got = client.get(TASK);
    await eventually(() => world.server.seen.length === 1);
    gate.set(false);
    answerIt();
    await got;
    expect([world.server.seen, gate.listeners.size, clock.armed]).toEqual([['get'], 0, []]);
  });

  test('has the same id each time, however often the network changes, and ends by its signal', async () => {
    const gate = newGate();
    const bodies: string[] = [];
    world.server.script.command = (_, body) => (bodies.push(body), undefined);
    const leaving = new AbortController();
    const acted = world.client({ baseUrl: hole.url, clock, gate }).act(TASK, answer, { signal: leaving.signal });
    for (const count of [1, 2, 3, 4, 5, 6]) {
      await eventually(() => bodies.length === count);
      gate.set(false);
      gate.set(true);
    }
    leaving.abort();
    await expect(acted).rejects.toMatchObject({ code: 'ABORTED' });
    expect(new Set(bodies).size).toBe(1);
    expect([seconds(), gate.listeners.size, clock.armed]).toEqual([0, 0, []]);
  });

  test('with files goes on, which would begin at 0 again', async () => {
    const gate = newGate();
    const forms: string[] = [];
    world.server.script.command = (_, body) => (forms.push(body), undefined);
    const leaving = new AbortController();
    const attachments = [{ fileName: 'a', content: new Uint8Array(1) }];
    const started = world.client({ baseUrl: hole.url, clock, gate }).start({ taskType: 'report', attachments }, { signal: leaving.signal });
    await eventually(() => forms.length === 1);
    gate.set(false);
    gate.set(true);
    await turns(50);
    expect([forms.length, world.server.seen.length, world.server.open.size]).toEqual([1, 1, 1]);
    await pass(30_000);
    await pass(550);
    await eventually(() => forms.length === 2);
    leaving.abort();
    await expect(started).rejects.toMatchObject({ code: 'ABORTED' });
    expect(forms.length).toBe(2);
  });
});

describe('a held poll over a connection that is dead without a word', () => {
  /** A poll is held by a server that has nothing to say, and its connection dies. */
  async function held(gate = newGate()) {
    const { script, seen, open } = world.server;
    const sockets = new Set<Socket>();
    script.poll = (query, { socket }) => {
      sockets.add(socket);
      return query.has('afterEventId') ? undefined : { taskId: TASK, events: [fact(1)], nextAfterEventId: '1-1000', hasMore: false };
    };
    const observation = world.client({ baseUrl: hole.url, clock, gate, transports: ['poll'] }).observe(TASK);
    const facts = observation[Symbol.asyncIterator]();
    await facts.next();
    const end = facts.next();
    await eventually(() => seen.length === 2 && open.size === 1);
    // The first poll's, where that is another, is not kept so long: what is asked next would be dead again.
    const [first] = sockets;
    if (sockets.size > 1) first?.destroy();
    await turns(50);
    hole.swallow();
    script.poll = () => ({ taskId: TASK, events: [completed(2)], nextAfterEventId: '2-1000', hasMore: false, terminal: true });
    return { end, gate };
  }

  test('brings the next fact after the time of that poll and a rest', async () => {
    const { end } = await held();
    await pass(35_000);
    await pass(550);
    expect((await end).value).toMatchObject({ eventId: '2-1000' });
    expect(seconds()).toBe(35.55);
  });

  test('is asked anew at once where the gate opens again', async () => {
    const { end, gate } = await held();
    gate.set(false);
    gate.set(true);
    expect((await end).value).toMatchObject({ eventId: '2-1000' });
    expect(seconds()).toBe(0);
  });
});
