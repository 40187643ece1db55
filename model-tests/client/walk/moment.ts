import type { transportMachine, TransportInput } from 'taskbridge/machines';
import { createActor, transition, type SnapshotFrom } from 'xstate';
import { keyOf, quiet, type WalkedEvent } from '../transport-alphabet.ts';

export type Snapshot = SnapshotFrom<typeof transportMachine>;
/** What the chart's actors ask of the world. */
export type Errand = 'ws' | 'sse' | 'poll' | 'settle' | 'refresh';

/** How far an errand has come: waits for the gate, for credentials, is under way, was taken by the server. */
export type Stage = 'gated' | 'held' | 'sent' | 'open';

/** What is known of one running errand. */
export interface Progress {
  readonly errand: Errand;
  readonly stage: Stage;
  /** The cursor that it began with. */
  readonly begun: number;
  readonly isLevel: boolean;
  /** It fetched newer credentials than its own in time: nothing of it waits for that any more. */
  readonly isRenewed: boolean;
}

/** Where a walk is: the chart by itself, and what the world around it must then look like. */
export interface Moment {
  readonly snapshot: Snapshot;
  /** How many facts were delivered. */
  readonly cursor: number;
  /** What comes next would not be told from something else: a path ends here. */
  readonly isOver: boolean;
  /** Newer credentials were given than those that were used last: a refresh has them at once. */
  readonly hasNewer: boolean;
  /** By the id of the actor that runs it. */
  readonly errands: ReadonlyMap<string, Progress>;
}

const errandOf: Readonly<Record<string, Errand>> = {
  ws: 'ws',
  sse: 'sse',
  pollOnce: 'poll',
  pollAndWait: 'poll',
  settle: 'settle',
  refresh: 'refresh',
};

/** The parts of a snapshot's value; undefined once the chart has ended. */
export function regionsOf({
  value,
}: Snapshot): { readonly gate: string; readonly delivering: unknown; readonly climbing: string } | undefined {
  if (typeof value === 'string') return undefined;
  // Each region of the parallel state is there while it is active.
  return value.observing as { gate: string; delivering: unknown; climbing: string };
}

/** The running errand of a kind, where there is one. */
export function runningOf({ errands }: Moment, wanted: Errand): Progress | undefined {
  return [...errands.values()].find(({ errand }) => errand === wanted);
}

/** A walk's beginning: the gate is closed. */
export function beginningOf(input: TransportInput): Moment {
  const snapshot = createActor(quiet, { input }).getSnapshot();
  return { snapshot, cursor: 0, isOver: false, hasNewer: false, errands: errandsOf(snapshot, new Map(), 0) };
}

function errandsOf(snapshot: Snapshot, before: Moment['errands'], cursor: number): Moment['errands'] {
  const isOpen = regionsOf(snapshot)?.gate === 'open';
  const errands = new Map<string, Progress>();
  for (const id of Object.keys(snapshot.children)) {
    const errand = errandOf[id];
    if (errand === undefined) continue;
    const stage = errand === 'settle' || errand === 'refresh' ? 'gated' : 'held';
    const known = before.get(id) ?? { errand, stage, begun: cursor, isLevel: false, isRenewed: false };
    errands.set(id, known.stage === 'gated' && isOpen ? { ...known, stage: 'held' } : known);
  }
  return errands;
}

const keys = new WeakMap<Snapshot, string>();
const taken = new Map<string, { readonly next: Snapshot; readonly kept: ReadonlySet<string> }>();

function keyOfSnapshot(snapshot: Snapshot): string {
  const key = keys.get(snapshot) ?? keyOf(snapshot);
  keys.set(snapshot, key);
  return key;
}

/** What one event makes of the chart, and which of its actors it leaves running. Snapshots with one key are one. */
function take(snapshot: Snapshot, event: WalkedEvent): { readonly next: Snapshot; readonly kept: ReadonlySet<string> } {
  const key = `${keyOfSnapshot(snapshot)} ${JSON.stringify(event)}`;
  const known = taken.get(key);
  if (known) return known;
  // The alphabet holds XState's own events beside the declared ones.
  const [next] = transition(quiet, snapshot, event as never);
  const before: Readonly<Record<string, unknown>> = snapshot.children;
  const kept = new Set(Object.entries(next.children).flatMap(([id, child]) => (before[id] === child ? [id] : [])));
  taken.set(key, { next, kept });
  return { next, kept };
}

const refreshed: WalkedEvent = { type: 'xstate.done.actor.refresh' };

/** What a stimulus changes besides the chart. */
export interface Change {
  /** All credentials that were asked for are given, so every errand goes under way. */
  readonly grants?: boolean;
  /** This errand was taken by the server. */
  readonly opens?: Errand;
  /** The credentials of this errand were renewed. */
  readonly renews?: Errand;
  readonly cursor?: number;
  /** No path goes on from there. */
  readonly ends?: boolean;
}

/** In which value of the whole chart each of these events is heard. */
export function hearings({ snapshot }: Moment, told: readonly WalkedEvent[]): string[] {
  let here = snapshot;
  return told.map((event) => {
    const name = `${JSON.stringify(here.value)} · ${event.type}`;
    here = take(here, event).next;
    return name;
  });
}

/** The moment after these events; those of a connection that the chart has closed meanwhile are not said any more. */
export function after(
  moment: Moment,
  events: readonly WalkedEvent[],
  change: Change,
): { readonly moment: Moment; readonly told: WalkedEvent[] } {
  const { cursor = moment.cursor } = change;
  const errands = new Map<string, Progress>();
  let { hasNewer } = moment;
  for (const [id, progress] of moment.errands) {
    const { errand } = progress;
    const isLevel = progress.isLevel || events.some(({ type }) => type === `${errand}.level`);
    const isSent = change.grants === true && progress.stage === 'held' && errand !== 'refresh';
    if (isSent && errand !== 'settle') hasNewer = false;
    const stage = change.opens === errand ? 'open' : isSent ? 'sent' : progress.stage;
    errands.set(id, { ...progress, stage, isLevel, isRenewed: progress.isRenewed || change.renews === errand });
  }
  let snapshot = moment.snapshot;
  const told: WalkedEvent[] = [];
  for (const event of events) {
    if (snapshot.status !== 'active') break;
    const source = event.type.split('.')[0];
    const speaks = [...moment.errands].find(([, { errand }]) => errand === source)?.[0];
    if (speaks !== undefined && !errands.has(speaks)) continue;
    told.push(event);
    const { next, kept } = take(snapshot, event);
    for (const id of errands.keys()) if (!kept.has(id)) errands.delete(id);
    snapshot = next;
  }
  hasNewer ||= change.renews !== undefined || told.some(({ type }) => type === refreshed.type);
  const next = { snapshot, cursor, hasNewer, isOver: change.ends === true, errands: errandsOf(snapshot, errands, cursor) };
  if (!hasNewer || runningOf(next, 'refresh')?.stage !== 'held') return { moment: next, told };
  const further = after(next, [refreshed], change.ends === true ? { ends: true } : {});
  return { moment: further.moment, told: [...told, ...further.told] };
}

/** What makes two moments the same to everything that may follow. */
export function momentKey({ snapshot, errands, cursor, isOver, hasNewer }: Moment): string {
  const progress = [...errands.values()].map(({ errand, stage, begun, isLevel, isRenewed }) => {
    const isStream = errand === 'ws' || errand === 'sse';
    return `${errand} ${stage} ${isStream ? `${isLevel ? 'level' : begun === cursor} ${isRenewed}` : ''}`;
  });
  return `${keyOfSnapshot(snapshot)} ${progress.join()} ${isOver} ${hasNewer}`;
}
