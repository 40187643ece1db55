import type { transportMachine, TransportInput } from 'taskbridge/machines';
import { createActor, transition, type SnapshotFrom } from 'xstate';
import { keyOf, quiet, type WalkedEvent } from '../transport-alphabet.ts';

export type Snapshot = SnapshotFrom<typeof transportMachine>;
/** What the chart's actors ask of the world. */
export type Operation = 'ws' | 'sse' | 'poll' | 'settle' | 'refresh';

/** How far an operation has come: waits for the gate, for credentials, is under way, was taken by the server. */
export type OperationStage = 'gated' | 'held' | 'sent' | 'open';

/** What is known of one running operation. */
export interface OperationProgress {
  readonly operation: Operation;
  readonly stage: OperationStage;
  /** The cursor that it began with. */
  readonly begun: number;
  readonly isLevel: boolean;
  /** It fetched newer credentials than its own in time: nothing of it waits for that any more. */
  readonly isRenewed: boolean;
}

/** Where a walk is: the chart by itself, and what the world around it must then look like. */
export interface WalkState {
  readonly snapshot: Snapshot;
  /** How many facts were delivered. */
  readonly cursor: number;
  /** What comes next would not be told from something else: a path ends here. */
  readonly isOver: boolean;
  /** Newer credentials were given than those that were used last: a refresh has them at once. */
  readonly hasNewer: boolean;
  /** By the id of the actor that runs it. */
  readonly operations: ReadonlyMap<string, OperationProgress>;
}

const operationOf: Readonly<Record<string, Operation>> = {
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

/** The running operation of a kind, where there is one. */
export function runningOf({ operations }: WalkState, wanted: Operation): OperationProgress | undefined {
  return [...operations.values()].find(({ operation }) => operation === wanted);
}

/** A walk's beginning: the gate is closed. */
export function initialStateOf(input: TransportInput): WalkState {
  const snapshot = createActor(quiet, { input }).getSnapshot();
  return { snapshot, cursor: 0, isOver: false, hasNewer: false, operations: operationsOf(snapshot, new Map(), 0) };
}

function operationsOf(snapshot: Snapshot, before: WalkState['operations'], cursor: number): WalkState['operations'] {
  const isOpen = regionsOf(snapshot)?.gate === 'open';
  const operations = new Map<string, OperationProgress>();
  for (const id of Object.keys(snapshot.children)) {
    const operation = operationOf[id];
    if (operation === undefined) continue;
    const stage = operation === 'settle' || operation === 'refresh' ? 'gated' : 'held';
    const known = before.get(id) ?? { operation, stage, begun: cursor, isLevel: false, isRenewed: false };
    operations.set(id, known.stage === 'gated' && isOpen ? { ...known, stage: 'held' } : known);
  }
  return operations;
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
  /** All credentials that were asked for are given, so every operation goes under way. */
  readonly grants?: boolean;
  /** This operation was taken by the server. */
  readonly opens?: Operation;
  /** The credentials of this operation were renewed. */
  readonly renews?: Operation;
  readonly cursor?: number;
  /** No path goes on from there. */
  readonly ends?: boolean;
}

/** In which value of the whole chart each of these events is heard. */
export function hearings({ snapshot }: WalkState, told: readonly WalkedEvent[]): string[] {
  let here = snapshot;
  return told.map((event) => {
    const name = `${JSON.stringify(here.value)} · ${event.type}`;
    here = take(here, event).next;
    return name;
  });
}

/** The moment after these events; those of a connection that the chart has closed meanwhile are not said any more. */
export function after(
  state: WalkState,
  events: readonly WalkedEvent[],
  change: Change,
): { readonly state: WalkState; readonly told: WalkedEvent[] } {
  const { cursor = state.cursor } = change;
  const operations = new Map<string, OperationProgress>();
  let { hasNewer } = state;
  for (const [id, progress] of state.operations) {
    const { operation } = progress;
    const isLevel = progress.isLevel || events.some(({ type }) => type === `${operation}.level`);
    const isSent = change.grants === true && progress.stage === 'held' && operation !== 'refresh';
    if (isSent && operation !== 'settle') hasNewer = false;
    const stage = change.opens === operation ? 'open' : isSent ? 'sent' : progress.stage;
    operations.set(id, { ...progress, stage, isLevel, isRenewed: progress.isRenewed || change.renews === operation });
  }
  let snapshot = state.snapshot;
  const told: WalkedEvent[] = [];
  for (const event of events) {
    if (snapshot.status !== 'active') break;
    const source = event.type.split('.')[0];
    const speaks = [...state.operations].find(([, { operation }]) => operation === source)?.[0];
    if (speaks !== undefined && !operations.has(speaks)) continue;
    told.push(event);
    const { next, kept } = take(snapshot, event);
    for (const id of operations.keys()) if (!kept.has(id)) operations.delete(id);
    snapshot = next;
  }
  hasNewer ||= change.renews !== undefined || told.some(({ type }) => type === refreshed.type);
  const next = { snapshot, cursor, hasNewer, isOver: change.ends === true, operations: operationsOf(snapshot, operations, cursor) };
  if (!hasNewer || runningOf(next, 'refresh')?.stage !== 'held') return { state: next, told };
  const further = after(next, [refreshed], change.ends === true ? { ends: true } : {});
  return { state: further.state, told: [...told, ...further.told] };
}

/** What makes two moments the same to everything that may follow. */
export function walkStateKey({ snapshot, operations, cursor, isOver, hasNewer }: WalkState): string {
  const progress = [...operations.values()].map(({ operation, stage, begun, isLevel, isRenewed }) => {
    const isStream = operation === 'ws' || operation === 'sse';
    return `${operation} ${stage} ${isStream ? `${isLevel ? 'level' : begun === cursor} ${isRenewed}` : ''}`;
  });
  return `${keyOfSnapshot(snapshot)} ${progress.join()} ${isOver} ${hasNewer}`;
}
