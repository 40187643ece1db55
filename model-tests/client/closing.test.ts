import type { Gate, TaskBridgeClientOptions } from 'taskbridge/client';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { matchesState, type AnyActor, type InspectionEvent, type StateValue } from 'xstate';
import { countingClock, createWorld, eventually, type CountingClock, type World } from './harness.ts';
import { facts, TASK, writeEvents, type Script } from './scripted-server.ts';

let world: World;
beforeEach(async () => {
  world = await createWorld();
});
afterEach(() => world.close());

/** A gate that counts who listens to it. */
function countingGate(open: boolean): Gate & { readonly listeners: Set<unknown> } {
  const listeners = new Set<unknown>();
  return {
    listeners,
    isOpen: () => open,
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

interface Case {
  readonly state: StateValue;
  readonly options?: Partial<TaskBridgeClientOptions>;
  readonly script?: Partial<Script>;
  readonly isClosedGate?: boolean;
  /** Lets time pass until the state is there. */
  readonly passMs?: number;
}

const delivering = (value: StateValue): StateValue => ({ observing: { delivering: value } });
const climbing = (value: StateValue): StateValue => ({ observing: { climbing: value } });
const mute = (): void => undefined;
const emptyPage = { taskId: TASK, events: [], nextAfterEventId: null, hasMore: false };
const onePage: Script['poll'] = (query) => (query.get('waitTimeoutMs') === '0' ? emptyPage : undefined);
const never = new Promise<never>(() => undefined);
const streams: Script['stream'] = (response) => writeEvents(response);

const cases: readonly Case[] = [
  { state: delivering('offline'), isClosedGate: true },
  { state: delivering({ webSocket: 'connecting' }), script: { subscribed: mute } },
  { state: delivering({ webSocket: 'live' }) },
  { state: delivering({ eventStream: 'connecting' }), options: { transports: ['sse'] }, script: { stream: mute } },
  { state: delivering({ eventStream: 'live' }), options: { transports: ['sse'] }, script: { stream: streams } },
  { state: delivering({ longPoll: 'connecting' }), options: { transports: ['poll'] } },
  { state: delivering({ longPoll: { live: 'polling' } }), options: { transports: ['poll'] }, script: { poll: onePage }, passMs: 500 },
  { state: delivering({ longPoll: { live: 'pausing' } }), options: { transports: ['poll'] }, script: { poll: onePage } },
  { state: delivering('waiting'), options: { transports: ['ws'] }, script: { subscribed: ({ cut }) => cut() } },
  { state: delivering('settling'), script: { subscribed: ({ socket }) => socket.close(1000), lateSnapshot: mute } },
  { state: delivering('appealing'), script: { subscribed: ({ socket }) => socket.close(1008), lateSnapshot: mute } },
  {
    state: delivering('refreshing'),
    options: { auth: ({ forceRefresh }) => (forceRefresh ? never : 'token') },
    script: { upgrade: 401 },
  },
  {
    state: delivering('full'),
    options: { limits: { undeliveredMax: 5 } },
    script: { subscribed: ({ confirm, send }) => (confirm(), send(...facts(1, 10))) },
  },
  { state: climbing('resting'), script: { upgrade: 503, stream: streams }, options: { webSocketTries: 1 } },
  {
    state: climbing('webSocket'),
    script: { upgrade: 503, stream: streams },
    options: { webSocketTries: 1 },
    passMs: 30_000,
  },
  {
    state: climbing('eventStream'),
    script: { stream: mute, poll: onePage },
    options: { transports: ['sse', 'poll'], eventStreamTries: 1, limits: { openMs: 1_000, pollWaitMs: 60_000, climbIntervalMs: 5_000 } },
    passMs: 1_000,
  },
];

/** Lets time pass in steps, for as long as it takes. */
async function reach(clock: CountingClock, passMs: number | undefined, isThere: () => boolean): Promise<void> {
  for (let turn = 0; !isThere(); turn += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    // Connections and answers come in their own time: the clock moves only when they had plenty of it.
    if (passMs !== undefined && turn % 200 === 199) clock.increment(passMs);
  }
}

describe('close() leaves no timer, connection or listener', () => {
  test.each(cases.map((one) => [JSON.stringify(one.state), one] as const))(
    'in %s',
    async (_, { state, options, script, isClosedGate, passMs }) => {
      Object.assign(world.server.script, script);
      const clock = countingClock();
      const gate = countingGate(!isClosedGate);
      let value: StateValue = {};
      const inspect = (event: InspectionEvent): void => {
        if (event.type === '@xstate.snapshot' && (event.actorRef as Partial<AnyActor>).id === `${TASK}/transport`)
          value = (event.snapshot as { value?: StateValue }).value ?? {};
      };
      const client = world.client({ clock, gate, inspect, ...options });
      const observation = client.observe(TASK);
      const next = observation[Symbol.asyncIterator]();
      await reach(clock, passMs, () => matchesState(state, value));
      observation.close();
      expect([clock.armed, gate.listeners.size]).toEqual([0, 0]);
      await eventually(() => world.server.open.size === 0);
      await client.close();
      await expect(next.next()).rejects.toMatchObject({ code: 'CLOSED' });
      expect(clock.armed).toBe(0);
    },
  );
});
