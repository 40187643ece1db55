import {
  createTaskBridgeClient,
  memoryCheckpoints,
  type AuthAnswer,
  type Gate,
  type Observation,
  type TaskBridgeClient,
} from 'taskbridge/client/node';
import type { transportMachine, Classification } from 'taskbridge/machines';
import type { ActorRefFrom, AnyActorRef, AnyMachineSnapshot, InspectionEvent } from 'xstate';
import { fakeClock, type FakeClock } from '../../support/fake-clock.ts';
import type { HeldRequest, RequestKind, ManualServer } from './manual-server.ts';
import { GOOD_MS, limits, RETRY_MS, timesOf, type TimerName } from './times.ts';
import type { Coverage } from '../../charts/coverage.ts';
import { idOf, type WalkedEvent } from './chart-system.ts';
import type { Beginning } from './walk-state.ts';
import { checkpointText, snapshotBody } from './wire-texts.ts';
import { eventually } from '../../support/eventually.ts';

export const TASK = 'task-1';

/** A gate that counts who listens to it. */
export interface CountingGate extends Gate {
  readonly listeners: ReadonlySet<unknown>;
  set(open: boolean): void;
}
function countingGate(): CountingGate {
  const listeners = new Set<(open: boolean) => void>();
  let isOpen = false;
  return {
    listeners,
    isOpen: () => isOpen,
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    set(open) {
      isOpen = open;
      for (const listener of [...listeners]) listener(open);
    },
  };
}

/** An auth provider that answers when it is told to. */
export interface HeldProvider {
  /** Gives credentials to everybody who waits. */
  grant(): void;
  /** Gives new ones to who waits for those, as soon as somebody does, and after `first`. */
  renew(first?: () => void): Promise<void>;
  /** Says to who waits for new ones that there will be none. */
  giveNone(): Promise<void>;
  /** Fails everybody who waits: for credentials, or for renewed ones. */
  fail(renewed: boolean): Promise<void>;
  readonly waiting: number;
}
interface Asked {
  readonly renewed: boolean;
  readonly resolve: (answer: AuthAnswer) => void;
  readonly reject: (error: Error) => void;
}

/** One real client on strings: all that it meets is the test's to decide. */
export interface ClientUnderTest {
  readonly client: TaskBridgeClient;
  readonly observation: Observation;
  readonly clock: FakeClock;
  readonly gate: CountingGate;
  readonly provider: HeldProvider;
  /** Tells that there is another network. */
  changeNetwork(): void;
  /** What the charts were told so far, from outside all of them. */
  readonly told: readonly WalkedEvent[];
  /** What the host says of the next failure. */
  verdict: Classification | undefined;
  chart(): ActorRefFrom<typeof transportMachine>;
  /** The value of each chart that runs, by name. */
  values(): Readonly<Record<string, unknown>>;
  /** Notes where all charts are. */
  reached(coverage: ReadonlyMap<string, Coverage>): void;
  /** The request or connection of the operation that is running now, given its credentials. */
  request(operation: 'ws' | 'sse' | 'poll' | 'settle'): Promise<HeldRequest>;
  /** Lets this timer fire. */
  pass(name: TimerName): void;
  /** Deals with every fact that waits. */
  catchUp(): Promise<void>;
  /** Answers the projection, which asks for a snapshot after a gap. */
  giveSnapshot(cursor: number): Promise<void>;
  /** Connections that the server still has, but that no running actor of the charts holds. */
  leftOpen(): readonly HeldRequest[];
}

/** What an actor asks for, by the chart that it runs in and its own id. */
function kindOf(chart: string, id: string): RequestKind | undefined {
  if (id === 'settle') return 'get';
  if (id === 'pollOnce' || id === 'pollAndWait') return 'poll';
  return id === 'stream' ? (chart as 'ws' | 'sse') : undefined;
}
/** The chart of an actor, by the actor's id. */
function chartOf(id: string): string | undefined {
  if (id === `${TASK}/transport`) return 'transport';
  const chart = idOf(id);
  return chart === 'transport' ? undefined : chart === 'recovery' ? chart : 'connection';
}

const isBetween = (type: string): boolean => type === 'credentials.aged' || type === 'credentials.refreshed';

/** What else a driver may be given. */
export interface ClientUnderTestOptions {
  /** Told of every edge that its charts take. */
  readonly coverage?: ReadonlyMap<string, Coverage>;
  /** That of the observation. */
  readonly signal?: AbortSignal;
}

/** Makes a client with a closed gate, and an observation that waits behind it. */
export async function createClientUnderTest(
  server: ManualServer,
  { tries, isSettled = false, isStored = false }: Beginning,
  { coverage, signal }: ClientUnderTestOptions = {},
): Promise<ClientUnderTest> {
  server.forget();
  const clock = fakeClock();
  const gate = countingGate();
  const asked: Asked[] = [];
  const changeListeners = new Set<() => void>();
  const told: WalkedEvent[] = [];
  const requests = new Map<unknown, HeldRequest>();
  let actor: ActorRefFrom<typeof transportMachine> | undefined;
  const answerAll = (renewed: boolean, answer: (one: Asked) => void): void => {
    for (const one of asked.filter((each) => each.renewed === renewed)) {
      asked.splice(asked.indexOf(one), 1);
      answer(one);
    }
  };
  const beAsked = (renewed: boolean): Promise<void> =>
    eventually(
      () => asked.some((one) => one.renewed === renewed),
      () => 'nobody asks for credentials',
    );
  const good = (): AuthAnswer => ({ token: 'token', expiresAt: clock.now() + GOOD_MS });
  const provider: HeldProvider = {
    get waiting() {
      return asked.length;
    },
    grant: () => answerAll(false, ({ resolve }) => resolve(good())),
    async renew(first) {
      await beAsked(true);
      first?.();
      answerAll(true, ({ resolve }) => resolve(good()));
    },
    async giveNone() {
      await beAsked(true);
      answerAll(true, ({ resolve }) => resolve(null));
    },
    async fail(renewed) {
      await beAsked(renewed);
      answerAll(renewed, ({ reject }) => reject(new Error('no token')));
    },
  };
  const isStopped = (ref: AnyActorRef): boolean => {
    const id = idOf(ref.id);
    return id !== 'transport' && chart().getSnapshot().children[id] !== ref;
  };
  const inspect = (event: InspectionEvent): void => {
    const ref = event.actorRef as AnyActorRef;
    if (ref.id === `${TASK}/transport`) actor ??= ref as ActorRefFrom<typeof transportMachine>;
    const chart = chartOf(ref.id);
    if (!chart) return;
    // What is over is seen here only.
    if (event.type === '@xstate.snapshot') coverage?.get(chart)?.reach(event.snapshot as AnyMachineSnapshot);
    if (event.type === '@xstate.microstep') event._transitions.forEach((edge) => coverage?.get(chart)?.take(edge));
    if (event.type !== '@xstate.event') return;
    // Nobody hears what is told to one that was just stopped.
    if (isStopped(ref)) return;
    const { type, ...fields } = event.event as { type: string };
    // What the charts say to each other is between them.
    if (
      !/^(xstate\.init|xstate\.stop|connection\.|other\.|xstate\.(done|error)\.actor\.(?!settle|refresh))/.test(type) &&
      !isBetween(type)
    ) {
      told.push({ to: idOf(ref.id), type, ...fields });
    }
  };
  const checkpoints = memoryCheckpoints();
  if (isStored) await checkpoints.write(`|${server.baseUrl}|${TASK}`, checkpointText);
  const client = createTaskBridgeClient({
    baseUrl: server.baseUrl,
    clock,
    gate,
    networkChanges: { subscribe: (listener) => (changeListeners.add(listener), () => void changeListeners.delete(listener)) },
    inspect,
    checkpoints,
    limits,
    chance: { fraction: () => 0.5 },
    retryPolicy: () => RETRY_MS,
    auth: ({ forceRefresh, signal: given }) =>
      new Promise<AuthAnswer>((resolve, reject) => {
        const one: Asked = { renewed: forceRefresh, resolve, reject };
        asked.push(one);
        given.addEventListener('abort', () => asked.includes(one) && asked.splice(asked.indexOf(one), 1));
      }),
    classify: () => driver.verdict,
    webSocketTries: tries.ws,
    eventStreamTries: tries.sse,
    transports: (['ws', 'sse', 'poll'] as const).filter((name) => tries[name] > 0),
  });
  if (isSettled) {
    const answer = client.get(TASK);
    gate.set(true);
    await eventually(
      () => {
        provider.grant();
        return server.came.length > 0;
      },
      () => 'the snapshot is not asked for',
    );
    server.came[0]?.answer(200, snapshotBody('RUNNING', null));
    await answer;
    gate.set(false);
    server.forget();
  }
  const observation = client.observe(TASK, { ...(!isStored && { lastEventId: '' }), ...(signal && { signal }) });
  const iterator = observation[Symbol.asyncIterator]();
  const chart = (): ActorRefFrom<typeof transportMachine> => {
    if (!actor) throw new Error('The chart has not begun.');
    return actor;
  };
  const below = (): [string, AnyActorRef][] =>
    Object.entries(chart().getSnapshot().children as Record<string, AnyActorRef | undefined>).flatMap(([id, child]) =>
      id !== 'network' && (child?.getSnapshot() as AnyMachineSnapshot | undefined)?.status === 'active'
        ? [[id, child] as [string, AnyActorRef]]
        : [],
    );
  /** What is asked of the world, and who asks it. */
  const running = (): [RequestKind, unknown][] =>
    below().flatMap(([name, child]) =>
      Object.entries((child.getSnapshot() as AnyMachineSnapshot).children as Record<string, unknown>).flatMap(([id, asks]) => {
        const kind = kindOf(name, id);
        return kind && asks ? [[kind, asks] as [RequestKind, unknown]] : [];
      }),
    );

  /** Gives credentials to all who wait, and knows afterwards which request is whose. */
  async function send(): Promise<void> {
    for (const [kind, child] of running()) {
      if (requests.has(child)) continue;
      const known = new Set(requests.values());
      let found: HeldRequest | undefined;
      await eventually(
        () => {
          provider.grant();
          return (found = server.came.find((held) => held.kind === kind && !known.has(held))) !== undefined;
        },
        () => `no request of ${kind}`,
      );
      if (found) requests.set(child, found);
    }
  }

  const driver: ClientUnderTest = {
    client,
    observation,
    clock,
    gate,
    provider,
    changeNetwork: () => changeListeners.forEach((listener) => listener()),
    told,
    verdict: undefined,
    chart,
    values: () =>
      Object.fromEntries(
        [
          ...(chart().getSnapshot().status === 'active' ? below() : []).map(([id, ref]): [string, unknown] => [
            id,
            (ref.getSnapshot() as AnyMachineSnapshot).value,
          ]),
          ['transport', chart().getSnapshot().value] as [string, unknown],
        ].sort(([one], [other]) => (one < other ? -1 : 1)),
      ),
    reached(covered) {
      for (const ref of [chart() as AnyActorRef, ...below().map(([, child]) => child)]) {
        const snapshot = ref.getSnapshot() as AnyMachineSnapshot;
        covered.get(snapshot.machine.id)?.reach(snapshot);
      }
    },
    async request(operation) {
      await send();
      const own = running().find(([kind]) => kind === (operation === 'settle' ? 'get' : operation))?.[1];
      const held = requests.get(own);
      if (!held) throw new Error(`The chart runs no ${operation}.`);
      return held;
    },
    pass: (name) => clock.ring(timesOf[name]),
    async catchUp() {
      const before = told.length;
      while (told.length === before) await iterator.next();
    },
    async giveSnapshot(cursor) {
      await send();
      const known = new Set(requests.values());
      let found: HeldRequest | undefined;
      await eventually(
        () => {
          provider.grant();
          return (found = server.came.find((held) => held.kind === 'get' && held.isOpen && !known.has(held))) !== undefined;
        },
        () => 'the projection does not ask',
      );
      const lastEventId = cursor === 0 ? null : `${cursor}-1000`;
      if (found) requests.set(found, found);
      found?.answer(
        200,
        JSON.stringify({ taskId: TASK, taskType: 't', status: 'RUNNING', state: 'running', suspensions: [], lastEventId }),
      );
      await eventually(
        () => found?.isOpen !== true,
        () => 'the snapshot is not taken',
      );
    },
    leftOpen() {
      const held = new Set(actor ? running().map(([, child]) => requests.get(child)) : []);
      return server.open.filter((one) => !held.has(one));
    },
  };
  await eventually(
    () => actor !== undefined && told.length > 0,
    () => 'the chart does not begin',
  );
  return driver;
}
