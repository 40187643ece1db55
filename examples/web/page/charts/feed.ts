import type { AnyMachineSnapshot, InspectionEvent, StateValue } from 'xstate';
import { arrowId, wordOf } from './outline.ts';

/** What a running chart shows at one moment. */
export interface ChartView {
  /** The ids of all active states, from the root inward. */
  readonly active: ReadonlySet<string>;
  /** What was taken last, in words. */
  readonly event: string;
  /** The arrows that it went along, in order; none where the state stayed what it was. */
  readonly steps: readonly string[];
  /** Counts what was taken, so that the same twice can be told from once. */
  readonly count: number;
}

/** An actor, by the id that it was given; only its session id is made anew each time. */
interface InspectedActor {
  readonly id: string;
  readonly _parent?: InspectedActor;
}
const pathOf = ({ id, _parent }: InspectedActor): string => (_parent ? `${pathOf(_parent)}/${id}` : id);

/** Shows charts as they run, by the ids of their actors, each behind those of the actors that it runs in. */
export interface ChartFeed {
  /** For the client's `inspect`. */
  readonly inspect: (event: InspectionEvent) => void;
  /** The same object until the chart has moved; undefined for one that does not run here. */
  of(actorId: string): ChartView | undefined;
  /** Ids of the charts that have run, oldest first. */
  ids(): readonly string[];
  subscribe(listener: () => void): () => void;
}

const CHARTS_MAX = 50;

/** Listens to an inspector's events, and keeps the last view of each chart. */
export function createChartFeed(): ChartFeed {
  const views = new Map<string, ChartView>();
  const listeners = new Set<() => void>();
  let known: readonly string[] = [];
  let steps: string[] = [];

  function show(id: string, view: ChartView): void {
    if (!views.has(id)) {
      known = [...known, id].slice(-CHARTS_MAX);
      for (const old of views.keys()) if (!known.includes(old)) views.delete(old);
    }
    views.set(id, view);
    for (const listener of listeners) listener();
  }

  return {
    inspect(event) {
      if (event.type === '@xstate.microstep') {
        for (const { source, target, reenter } of event._transitions)
          for (const to of target ?? []) if (to !== source || reenter) steps.push(arrowId(source.id, to.id));
        return;
      }
      if (event.type !== '@xstate.snapshot' || !isChart(event.snapshot)) return;
      const { machine } = event.snapshot;
      const id = pathOf(event.actorRef as unknown as InspectedActor);
      const count = (views.get(id)?.count ?? 0) + 1;
      show(id, {
        active: new Set(statesIn(machine.id, event.snapshot.value as StateValue)),
        event: wordOf(event.event.type),
        steps,
        count,
      });
      steps = [];
    },
    of: (actorId) => views.get(actorId),
    ids: () => known,
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

function isChart(snapshot: object): snapshot is AnyMachineSnapshot {
  return 'machine' in snapshot && 'value' in snapshot;
}

function statesIn(id: string, value: StateValue): readonly string[] {
  if (typeof value === 'string') return [id, `${id}.${value}`];
  return [id, ...Object.entries(value).flatMap(([key, inner]) => (inner === undefined ? [] : statesIn(`${id}.${key}`, inner)))];
}
