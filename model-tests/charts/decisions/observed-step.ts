import {
  createActor,
  fromCallback,
  type AnyActorRef,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  type AnyTransitionDefinition,
  type EventObject,
} from 'xstate';

/** What a chart does beside moving, in the order in which it does it. */
export type Effect =
  | EventObject
  | { readonly type: 'opens'; readonly id: string; readonly src: string; readonly input: unknown }
  | { readonly type: 'tells'; readonly to: string; readonly event: unknown }
  | { readonly type: 'does'; readonly action: string }
  /** A time passes from now on. */
  | { readonly type: 'begins'; readonly time: string }
  /** An actor whose place another has taken, and which nobody has stopped. */
  | { readonly type: 'leaves running'; readonly id: string };

/** One step of a chart, as it is seen from outside. */
export interface ObservedStep {
  readonly next: AnyMachineSnapshot;
  readonly effects: readonly Effect[];
}

type Scope = Parameters<AnyStateMachine['transition']>[2];
interface Executed {
  readonly type: string;
  readonly params: unknown;
}

type Children = Readonly<Record<string, AnyActorRef>>;

const silent = fromCallback(() => undefined);
const standIns = new Map<string, AnyActorRef>();

/** An actor that says nothing; one for each id is enough, since none is ever started. */
function standInFor(id: string): AnyActorRef {
  const known = standIns.get(id) ?? createActor(silent, { id });
  standIns.set(id, known);
  return known;
}

/** Steps one chart, from any snapshot, without running anything. */
export class StepObserver {
  readonly #machine: AnyStateMachine;
  readonly #self: AnyActorRef;
  readonly #scope: Scope;
  #before: AnyMachineSnapshot | undefined;
  #executed: Executed[] = [];

  /** `onEdge` hears of each transition that a step takes. */
  constructor(machine: AnyStateMachine, onEdge?: (edge: AnyTransitionDefinition) => void) {
    this.#machine = machine;
    const actor = createActor(
      machine,
      onEdge && { inspect: (inspected) => inspected.type === '@xstate.microstep' && inspected._transitions.forEach(onEdge) },
    );
    // Never started. It shows the snapshot that the step begins with, since an action may look at its own chart, and has somebody above it.
    this.#self = Object.assign(Object.create(actor) as AnyActorRef, { getSnapshot: () => this.#before, _parent: standInFor('parent') });
    this.#scope = {
      self: this.#self,
      id: 'observed',
      sessionId: 'observed',
      system: this.#self.system,
      logger: () => undefined,
      defer: () => undefined,
      emit: () => undefined,
      stopChild: () => undefined,
      actionExecutor: (action) => void this.#executed.push(action),
    };
  }

  /** The beginning, from what it is given. */
  begin(input: unknown): ObservedStep {
    return this.#observe(undefined, () => this.#machine.getInitialSnapshot(this.#scope, input as never) as AnyMachineSnapshot);
  }

  /** One event, where these actors run; the snapshot is the caller's own, and has them then. */
  take(before: AnyMachineSnapshot, running: readonly string[], event: EventObject): ObservedStep {
    Object.assign(before, { children: Object.fromEntries(running.map((id) => [id, standInFor(id)])) });
    return this.#observe(before, () => this.#machine.transition(before, event, this.#scope) as AnyMachineSnapshot);
  }

  #observe(before: AnyMachineSnapshot | undefined, step: () => AnyMachineSnapshot): ObservedStep {
    this.#before = before;
    this.#executed = [];
    const next = step();
    const effects = this.#executed.flatMap((action, nth) => this.#effectOf(action, this.#executed.slice(nth + 1)));
    const stopped = new Set(this.#executed.filter(({ type }) => type === 'xstate.stopChild').map(({ params }) => params));
    // The children of just any machine are typed as anything.
    const [former, present] = [before?.children ?? {}, next.children] as [Children, Children];
    const left = Object.keys(former).filter((id) => id in present && present[id] !== former[id] && !stopped.has(former[id]));
    return { next, effects: inOrder([...effects, ...left.map((id) => ({ type: 'leaves running' as const, id }))]) };
  }

  /** What the same step takes back is not seen; nor is what is stopped: what still runs is. */
  #effectOf({ type, params }: Executed, later: readonly Executed[]): Effect[] {
    // What XState puts there for each of its own actions.
    const { event, id, src, input, to, delay, actorRef } = (params ?? {}) as Record<string, unknown>;
    if (type === 'xstate.emit') return [event as EventObject];
    if (type === 'xstate.spawnChild' && later.some((action) => action.type === 'xstate.stopChild' && action.params === actorRef)) return [];
    if (type === 'xstate.spawnChild') return [{ type: 'opens', id: id as string, src: src as string, input }];
    if (type === 'xstate.raise' && delay !== undefined) {
      const [, , time = ''] = (event as EventObject).type.split('.');
      const isOff = later.some((action) => action.type === 'xstate.cancel' && (action.params as { sendId: unknown }).sendId === id);
      return isOff ? [] : [{ type: 'begins', time }];
    }
    if (type === 'xstate.sendTo') return [{ type: 'tells', to: (to as AnyActorRef).id, event }];
    return type.startsWith('xstate.') ? [] : [{ type: 'does', action: type }];
  }
}

/** What is opened, and which times begin, have no order: XState has its own. */
export function inOrder(effects: readonly Effect[]): Effect[] {
  const quiet = effects.filter(({ type }) => type === 'opens' || type === 'begins');
  const textOf = (effect: Effect): string => JSON.stringify(effect);
  return [...effects.filter((effect) => !quiet.includes(effect)), ...quiet.toSorted((a, b) => (textOf(a) < textOf(b) ? -1 : 1))];
}
