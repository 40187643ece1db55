import type { connectionMachine, recoveryMachine, transportMachine, TransportInput } from 'taskbridge/machines';
import {
  createActor,
  SimulatedClock,
  type ActorRefFrom,
  type AnyActorRef,
  type AnyMachineSnapshot,
  type Snapshot,
  type SnapshotFrom,
} from 'xstate';
import { quiet } from '../transport-charts.ts';

/** The charts of one observation that run: the transport's, and its connections and recovery by their ids. */
export type ChartId = 'transport' | 'ws' | 'sse' | 'poll' | 'recovery';

/** What one chart is told from outside all of them, or by its own delay. */
export interface WalkedEvent {
  readonly to: ChartId;
  readonly type: string;
  readonly [field: string]: unknown;
}

/** A delay that runs. */
export interface ArmedDelay {
  readonly to: ChartId;
  readonly type: string;
}

/** All charts of one observation at one moment. */
export interface ChartSystem {
  readonly transport: SnapshotFrom<typeof transportMachine>;
  /** The value of each chart that runs. */
  readonly values: Readonly<Partial<Record<ChartId, unknown>>>;
  readonly snapshots: ReadonlyMap<ChartId, AnyMachineSnapshot>;
  /** The actors that do something outside, as `chart/actor`. */
  readonly effects: readonly string[];
  /** The oldest first. */
  readonly delays: readonly ArmedDelay[];
  readonly key: string;
  readonly persisted: Snapshot<unknown>;
}

type Running = ActorRefFrom<typeof connectionMachine> | ActorRefFrom<typeof recoveryMachine>;

/** What watches the network is a child too, and no chart. */
const connected = { ws: true, sse: true, poll: true, recovery: true };

/** The charts that run below a transport chart. */
function chartsBelow(root: ActorRefFrom<typeof transportMachine>): [ChartId, Running][] {
  const children = Object.entries(root.getSnapshot().children) as [ChartId, Running | undefined][];
  return children.flatMap(([id, ref]) =>
    id in connected && ref?.getSnapshot().status === 'active' ? [[id, ref] as [ChartId, Running]] : [],
  );
}

/** The actors that do something outside, and which they are. */
function effectsOf(root: ActorRefFrom<typeof transportMachine>): Map<string, AnyActorRef> {
  const effects = new Map<string, AnyActorRef>();
  for (const [id, chart] of chartsBelow(root))
    for (const [name, ref] of Object.entries(chart.getSnapshot().children as Record<string, AnyActorRef | undefined>))
      if (ref && (ref.getSnapshot() as AnyMachineSnapshot).status === 'active') effects.set(`${id}/${name}`, ref);
  return effects;
}

const input: TransportInput = { tries: { ws: 1, sse: 1, poll: 1 }, strategy: 'progressive-sticky', refreshable: true };

/** By key: moments with one key are one, so only one of them is kept. */
const moments = new Map<string, ChartSystem>();

function look(root: ActorRefFrom<typeof transportMachine>, delaysBefore: readonly ArmedDelay[]): ChartSystem {
  const transport = root.getSnapshot();
  const snapshots = new Map<ChartId, AnyMachineSnapshot>([['transport', transport]]);
  for (const [id, chart] of transport.status === 'active' ? chartsBelow(root) : []) snapshots.set(id, chart.getSnapshot());
  const values = Object.fromEntries([...snapshots].map(([id, { value }]) => [id, value as unknown]));
  const isThere = ({ to, type }: ArmedDelay): boolean =>
    snapshots.get(to)?._nodes.some((node) => node.transitions.has(type)) === true && snapshots.get(to)?.status === 'active';
  const armed = Object.values(root.system.getSnapshot()._scheduledEvents).map(({ source, event }): ArmedDelay => ({
    to: idOf(source.id),
    type: event.type,
  }));
  const isAnew = (one: ArmedDelay): boolean => armed.some(({ to, type }) => to === one.to && type === one.type);
  const delays = [...delaysBefore.filter((one) => isThere(one) && !isAnew(one)), ...armed.filter(isThere)];
  const key = keyOf(transport, snapshots, delays);
  const known = moments.get(key);
  if (known) return known;
  const system = {
    transport,
    values,
    snapshots,
    effects: [...effectsOf(root).keys()],
    delays,
    key,
    persisted: root.getPersistedSnapshot(),
  };
  moments.set(key, system);
  return system;
}

/** The chart of an actor, by the actor's id. */
export function idOf(id: string): ChartId {
  return id === 'ws' || id === 'sse' || id === 'poll' || id === 'recovery' ? id : 'transport';
}

/** What makes two moments the same to the guards: back-off counters and failures decide nothing. */
function keyOf(
  { value, context }: SnapshotFrom<typeof transportMachine>,
  snapshots: ChartSystem['snapshots'],
  delays: readonly ArmedDelay[],
): string {
  const { tries, left, barred, transport, probe, retryAfterMs, cursor } = context;
  const below = [...snapshots].flatMap(([id, snapshot]) => {
    // The snapshot of just any machine is typed as anything.
    const { malformed, refreshable } = snapshot.context as { malformed?: number; refreshable?: string };
    return id === 'transport' ? [] : [[id, snapshot.value as unknown, malformed, refreshable]];
  });
  // Two connections may have the same delay, and that of climbing may have passed without an arrow; the others are where the states are.
  const order = delays.filter(({ type }) => /livenessTimeout|openTimeout|silentTime|climbInterval/.test(type)).map(({ to }) => to);
  return JSON.stringify([
    value,
    Object.values(tries),
    Object.values(left),
    barred,
    transport,
    probe,
    retryAfterMs > 0,
    cursor,
    below.sort(),
    order,
  ]);
}

/** The charts as they begin. */
export function beginSystem(begin: TransportInput): ChartSystem {
  const root = createActor(quiet, { input: begin, clock: new SimulatedClock() }).start();
  const system = look(root, []);
  root.stop();
  return system;
}

/** What one event makes of the charts, and which of their effects it leaves running. */
interface Taken {
  readonly next: ChartSystem;
  readonly kept: ReadonlySet<string>;
}

/** By moment, and by what it is told: no step is taken twice. */
const taken = new WeakMap<ChartSystem, Map<string, Taken>>();
/** Takes one event. */
export function takeInSystem(system: ChartSystem, event: WalkedEvent): Taken {
  const { to, ...told } = event;
  const steps = taken.get(system) ?? new Map<string, Taken>();
  taken.set(system, steps);
  const name = JSON.stringify(event);
  const known = steps.get(name);
  if (known) return known;
  // The persisted form is typed as that of just any actor. What is restored has its context; the input is not looked at again.
  const root = createActor(quiet, { snapshot: system.persisted as never, input, clock: new SimulatedClock() }).start();
  const before = effectsOf(root);
  const ref = to === 'transport' ? root : chartsBelow(root).find(([id]) => id === to)?.[1];
  // The alphabet holds XState's own events beside the declared ones.
  (ref as { send(event: object): void } | undefined)?.send(told);
  const after = root.getSnapshot().status === 'active' ? effectsOf(root) : new Map<string, AnyActorRef>();
  const kept = new Set([...after].flatMap(([id, effect]) => (before.get(id) === effect ? [id] : [])));
  // A delay that has passed is not armed any more, whether an arrow was taken or not.
  const next = look(
    root,
    system.delays.filter((one) => one.to !== to || one.type !== event.type),
  );
  root.stop();
  steps.set(name, { next, kept });
  return { next, kept };
}
