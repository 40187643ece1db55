import {
  createTaskBridgeClient,
  type Clock,
  type Observation,
  type ObservationSnapshot,
  type TaskBridgeClient,
  type TaskBridgeClientOptions,
} from 'taskbridge/client/node';
import { SimulatedClock } from 'xstate';
import { createScriptedServer, type ScriptedServer } from './scripted-server.ts';

/** A clock that also says how many of its timers are armed. */
export interface CountingClock extends Clock {
  readonly armed: number;
  /** Milliseconds to the next of them. */
  readonly next: number | undefined;
  /** Lets time pass. */
  increment(ms: number): void;
}

export function countingClock(): CountingClock {
  const inner = new SimulatedClock();
  const armed = new Map<unknown, number>();
  return {
    get armed() {
      return armed.size;
    },
    get next() {
      return armed.size === 0 ? undefined : Math.min(...armed.values()) - inner.now();
    },
    now: () => inner.now(),
    setTimeout(fn, ms) {
      const id = inner.setTimeout(() => {
        armed.delete(id);
        fn();
      }, ms);
      armed.set(id, inner.now() + ms);
      return id;
    },
    clearTimeout(id) {
      armed.delete(id);
      inner.clearTimeout(id as never);
    },
    increment: (ms) => inner.increment(ms),
  };
}

/** Resolves once the snapshot is as wanted. */
export function until(observation: Observation, wanted: (snapshot: ObservationSnapshot) => boolean): Promise<ObservationSnapshot> {
  return new Promise((resolve) => {
    const look = (): void => {
      const snapshot = observation.getSnapshot();
      if (!wanted(snapshot)) return;
      subscription.unsubscribe();
      resolve(snapshot);
    };
    const subscription = observation.subscribe(look);
    look();
  });
}

/** Looks again each time that the event loop has turned. */
export async function eventually(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

export interface World {
  readonly server: ScriptedServer;
  client(options?: Partial<TaskBridgeClientOptions>): TaskBridgeClient;
  close(): Promise<void>;
}

/** A scripted server and the clients of one test. Rests are a millisecond unless the test brings its own clock. */
export async function createWorld(): Promise<World> {
  const server = await createScriptedServer();
  const clients: TaskBridgeClient[] = [];
  return {
    server,
    client(options = {}) {
      const made = createTaskBridgeClient({
        baseUrl: server.baseUrl,
        chance: { fraction: () => 0.5 },
        ...options,
        limits: { ...(!options.clock && { backoffBaseMs: 1, backoffMaxMs: 2, emptyPauseMs: 1 }), ...options.limits },
      });
      clients.push(made);
      return made;
    },
    async close() {
      await Promise.all(clients.map((client) => client.close()));
      await server.close();
    },
  };
}

/** The ids of all facts, by their first number. */
export async function numbers(observation: Observation): Promise<number[]> {
  const found: number[] = [];
  for await (const { eventId } of observation) found.push(Number(eventId.split('-')[0]));
  return found;
}
