import * as fc from 'fast-check';
import { inProcess } from 'taskbridge/adapters/in-process';
import { platformChannels, processLocks, type LockPort } from 'taskbridge/client/tabs';
import { isFact, type Fact } from 'taskbridge/wire';
import { memoryOutbox, type OutboxStore } from 'taskbridge/client/outbox';
import { describe, expect, test } from 'vitest';
import { bridgeOf, type RunningBridge } from '../server/bridge-of.ts';
import { eventually } from '../support/eventually.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { until } from '../support/until.ts';
import { answerTo, brittle, handGate, openOutbox, takingServer } from './outbox-harness.ts';

const channels = platformChannels() ?? null;
const idsOf = (met: readonly { body: Readonly<Record<string, unknown>> }[]): unknown[] => met.map(({ body }) => body['clientRequestId']);
let names = 0;
const ownStore = (): OutboxStore => memoryOutbox(`ada-${++names}`);

/** Locks whose holder may be one that never does anything. */
function withDeadHolder(name: string): LockPort & { release: () => void } {
  const locks = processLocks();
  const release = locks.claim(`taskbridge.outbox.${name}`, { held: () => undefined, lost: () => undefined, refused: () => undefined });
  return { ...locks, release };
}

describe('several tabs', () => {
  test('send each command once, and all see what became of it', async () => {
    const server = await takingServer();
    const store = ownStore();
    const shared = { store, locks: processLocks(), channels, gate: handGate(false) };
    const tabs = [openOutbox(server.baseUrl, shared), openOutbox(server.baseUrl, shared), openOutbox(server.baseUrl, shared)];
    const tickets = await Promise.all(
      tabs.flatMap((tab, t) => ['a', 'b', 'c'].map((id) => tab.start({ taskType: 'report', clientRequestId: `${id}${t}` }))),
    );
    shared.gate.set(true);
    await Promise.all(tabs.map((tab) => until(tab, ({ state, pending }) => state === 'idle' && pending === 0)));
    expect(idsOf(server.met)).toHaveLength(9);
    expect(new Set(idsOf(server.met)).size).toBe(9);
    for (const tab of tabs) for (const { id } of tickets) expect(await tab.settled(id)).toMatchObject({ state: 'done' });
  });

  test('go on when the one that sends closes in the middle', async () => {
    const server = await takingServer();
    const store = ownStore();
    const shared = { store, locks: processLocks(), channels };
    const { command } = server.script;
    let arrived = (): void => undefined;
    const isThere = new Promise<void>((resolve) => (arrived = resolve));
    let isMute = true;
    server.script.command = (...call) => {
      const answer = command(...call);
      arrived();
      return isMute ? undefined : answer;
    };
    const first = openOutbox(server.baseUrl, shared);
    const { id } = await first.start({ taskType: 'report', clientRequestId: 'one' });
    await isThere;
    const second = openOutbox(server.baseUrl, shared);
    await until(second, ({ state }) => state === 'elsewhere');
    isMute = false;
    await first.close();
    expect(await second.settled(id)).toMatchObject({ state: 'done' });
    // The first request was taken too, and its answer lost: the same id both times.
    expect(idsOf(server.met)).toEqual(['one', 'one']);
  });

  test('take the lock away from one that does nothing for patienceMs', async () => {
    const server = await takingServer();
    const store = ownStore();
    const clock = fakeClock();
    const outbox = openOutbox(server.baseUrl, { store, locks: withDeadHolder(store.name), clock, limits: { patienceMs: 5000 } });
    const ticket = await outbox.start({ taskType: 'report' });
    await until(outbox, ({ state }) => state === 'elsewhere');
    clock.advance(4999);
    expect(outbox.getSnapshot().state).toBe('elsewhere');
    clock.advance(1);
    expect(await ticket.settled()).toMatchObject({ state: 'done' });
  });

  test('have the lock at once when its holder dies', async () => {
    const server = await takingServer();
    const store = ownStore();
    const locks = withDeadHolder(store.name);
    const outbox = openOutbox(server.baseUrl, { store, locks });
    const ticket = await outbox.start({ taskType: 'report' });
    await until(outbox, ({ state }) => state === 'elsewhere');
    locks.release();
    expect(await ticket.settled()).toMatchObject({ state: 'done' });
  });
});

describe('a passing failure', () => {
  test('rests as long as the server asks, then sends the same command again', async () => {
    const server = await takingServer();
    const { command } = server.script;
    let refusals = 2;
    server.script.command = (...call) => {
      const answer = command(...call);
      return refusals-- > 0 ? [503, { code: 'UNAVAILABLE', message: 'Later.' }, { 'retry-after': '7' }] : answer;
    };
    const clock = fakeClock();
    const outbox = openOutbox(server.baseUrl, { store: ownStore(), clock, chance: { fraction: () => 0 } });
    const ticket = await outbox.start({ taskType: 'report', clientRequestId: 'one' });
    for (let turn = 0; turn < 2; turn += 1) {
      const { error } = await until(outbox, ({ state }) => state === 'resting');
      expect(error).toMatchObject({ code: 'UNAVAILABLE', status: 503 });
      expect(clock.next).toBe(7000);
      clock.advance(6999);
      expect(server.met).toHaveLength(turn + 1);
      clock.advance(1);
      await until(outbox, ({ state }) => state !== 'resting');
    }
    expect(await ticket.settled()).toMatchObject({ state: 'done' });
    expect(idsOf(server.met)).toEqual(['one', 'one', 'one']);
  });

  test('rests longer each time, at most restMaxMs, and ends at once when asked to', async () => {
    const server = await takingServer();
    const { command } = server.script;
    server.script.command = (...call) => {
      command(...call);
      return server.met.length < 6 ? [500, {}] : answerTo('/tasks', {});
    };
    const clock = fakeClock();
    const limits = { restBaseMs: 1000, restMaxMs: 5000 };
    const outbox = openOutbox(server.baseUrl, { store: ownStore(), clock, limits, chance: { fraction: () => 0 } });
    await outbox.start({ taskType: 'report' });
    const rests: unknown[] = [];
    for (let turn = 0; turn < 5; turn += 1) {
      await until(outbox, ({ state }) => state === 'resting');
      rests.push(clock.next);
      if (turn === 4) outbox.retry();
      else clock.advance(clock.next ?? 0);
      await eventually(() => server.met.length === turn + 2);
    }
    expect(rests).toEqual([1000, 2000, 4000, 5000, 5000]);
    await until(outbox, ({ state }) => state === 'idle');
    expect(clock.armed).toEqual([]);
  });

  test('of the credentials keeps the command until somebody has signed in again', async () => {
    const server = await takingServer();
    let token = 'old';
    server.script.command = (path, body, { headers }) => {
      server.met.push({ path, body: JSON.parse(body) as never });
      return headers.authorization === 'Bearer new' ? answerTo(path, {}) : [401, { code: 'AUTHENTICATION_ERROR', message: 'Who?' }];
    };
    const asked: boolean[] = [];
    const auth = ({ forceRefresh }: { forceRefresh: boolean }): string => {
      asked.push(forceRefresh);
      return token;
    };
    const clock = fakeClock();
    const outbox = openOutbox(server.baseUrl, { store: ownStore(), clock }, { auth });
    const ticket = await outbox.start({ taskType: 'report' });
    const { error } = await until(outbox, ({ state }) => state === 'resting');
    expect(error).toMatchObject({ status: 401 });
    expect(asked).toContain(true);
    token = 'new';
    outbox.retry();
    expect(await ticket.settled()).toMatchObject({ state: 'done' });
  });

  test.each(['<html>Sign in to this network</html>', undefined])('is an answer that is none of ours: %s', async (page) => {
    const answers = [page, '{"taskId":"t","status":"ACCEPTED","deduplicated":false}'];
    const fetch = () => {
      const answer = answers.shift();
      return answer === undefined ? Promise.reject(new TypeError('No network.')) : Promise.resolve(new Response(answer, { status: 200 }));
    };
    const outbox = openOutbox('http://127.0.0.1:9', { store: ownStore() }, { fetch });
    const ticket = await outbox.start({ taskType: 'report' });
    expect(await ticket.settled()).toMatchObject({ state: 'done', response: { taskId: 't' } });
  });
});

describe('a command', () => {
  test('is withdrawn before it was sent, and with it what is for its task', async () => {
    const server = await takingServer();
    const gate = handGate(false);
    const outbox = openOutbox(server.baseUrl, { store: ownStore(), gate });
    const start = await outbox.start({ taskType: 'report' });
    const cancel = await outbox.cancel({ clientRequestId: start.clientRequestId });
    expect(await outbox.withdraw(start.id)).toBe(true);
    expect(await outbox.withdraw(start.id)).toBe(false);
    gate.set(true);
    expect(await start.settled()).toMatchObject({ state: 'withdrawn', wasSent: false, refusal: { code: 'OUTBOX_WITHDRAWN' } });
    expect(await cancel.settled()).toMatchObject({ state: 'refused', refusal: { code: 'OUTBOX_START_FAILED' } });
    expect(server.met).toEqual([]);
  });

  test('that the server never answers is withdrawn, and lets the others go', async () => {
    const server = await takingServer();
    const { command } = server.script;
    server.script.command = (path, body, ...rest) => {
      const answer = command(path, body, ...rest);
      return body.includes('poison') ? [500, {}] : answer;
    };
    const outbox = openOutbox(server.baseUrl, { store: ownStore(), limits: { restBaseMs: 60_000, restMaxMs: 60_000 } });
    const poison = await outbox.start({ taskType: 'poison' });
    const next = await outbox.start({ taskType: 'report' });
    await until(outbox, ({ state }) => state === 'resting');
    expect(await outbox.withdraw(poison.id)).toBe(true);
    expect(await poison.settled()).toMatchObject({ state: 'withdrawn', wasSent: true });
    expect(await next.settled()).toMatchObject({ state: 'done' });
  });

  test('is refused at once where it could never be sent', async () => {
    const outbox = openOutbox('http://127.0.0.1:9', { store: ownStore(), gate: handGate(false) });
    const round: Record<string, unknown> = {};
    round['self'] = round;
    await expect(outbox.start({ taskType: 'report', input: round as never })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(outbox.cancel('../other')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await outbox.close();
    await expect(outbox.cancel('task-1')).rejects.toMatchObject({ code: 'CLOSED' });
  });

  test('that waits is told to nobody after the end: settled() rejects', async () => {
    const outbox = openOutbox('http://127.0.0.1:9', { store: ownStore(), gate: handGate(false) });
    const ticket = await outbox.cancel('task-1');
    const settled = expect(ticket.settled()).rejects.toMatchObject({ code: 'CLOSED' });
    await outbox.close();
    await settled;
  });
});

async function untilAsked(bridge: RunningBridge, taskId: string): Promise<Fact<'TASK_SUSPENDED'>> {
  for (;;) {
    const found = (await bridge.facts(taskId)).find((fact) => isFact(fact, 'TASK_SUSPENDED'));
    if (found) return found;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('against the real server', () => {
  test('each start becomes one task and each answer is taken once, wherever the page dies', async () => {
    const bridge = await bridgeOf(
      inProcess({ report: async (task) => void (await task.suspend('go', { reasonCode: 'GO', allowedActions: ['yes'] })) }),
    );
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom('before', 'after'), { maxLength: 4 }), fc.nat({ max: 6 }), async (moments, first) => {
        runs += 1;
        const [a, b] = [`a-${runs}`, `b-${runs}`];
        const inner = ownStore();
        const gate = handGate(false);
        const made = openOutbox(bridge.url, { store: inner, gate });
        await made.start({ taskType: 'report', clientRequestId: a });
        await made.start({ taskType: 'report', clientRequestId: b });
        const cancel = await made.cancel({ clientRequestId: a }, 'enough');
        const asking = await bridge.start('report');
        const { suspendId } = (await untilAsked(bridge, asking)).payload;
        await made.act(asking, { suspendId, actionType: 'yes' });
        await made.close();
        gate.set(true);
        // The page dies at the first write that fails, and is opened again.
        const plan = [...moments];
        let writes = 0;
        for (;;) {
          const store = brittle(inner);
          let died = (): void => undefined;
          const death = new Promise<'died'>((resolve) => (died = () => resolve('died')));
          store.failAt = () => {
            writes += 1;
            if (writes <= first || plan.length === 0) return undefined;
            died();
            return plan.shift() as 'before' | 'after';
          };
          const outbox = openOutbox(
            bridge.url,
            { store, gate, limits: { restBaseMs: 60_000, restMaxMs: 60_000 } },
            { auth: () => ({ authorization: 'alice' }) },
          );
          const end = await Promise.race([death, until(outbox, ({ state, pending }) => state === 'idle' && pending === 0)]);
          await outbox.close();
          if (end !== 'died') break;
        }
        const last = openOutbox(bridge.url, { store: inner, gate });
        expect(await last.settled(cancel.id)).toMatchObject({ state: 'done' });
        const taskIds = await Promise.all(
          [a, b].map(async (id) => (await bridge.create({ clientRequestId: id, taskType: 'report' })).taskId),
        );
        const [ofA, ofB] = await Promise.all(taskIds.map((taskId) => bridge.facts(taskId)));
        expect(ofA?.filter(({ type }) => type === 'TASK_CANCELLED' || type === 'TASK_CANCEL_REQUESTED').length).toBeGreaterThan(0);
        expect(ofB?.filter(({ type }) => type === 'TASK_CANCELLED')).toEqual([]);
        const entries = last.getSnapshot().entries.map(({ command, state }) => [command.type, state]);
        expect(entries).toEqual([
          ['start', 'done'],
          ['start', 'done'],
          ['cancel', 'done'],
          ['act', 'done'],
        ]);
        expect((await bridge.facts(asking)).filter(({ type }) => type === 'TASK_ACTION_ACCEPTED')).toHaveLength(1);
        await last.close();
      }),
      { numRuns: 25, seed: 20_260_101 },
    );
  });
});
