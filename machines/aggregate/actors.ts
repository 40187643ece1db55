import {
  createActor,
  fromTransition,
  type ActorRef,
  type AnyActorRef,
  type AnyStateMachine,
  type EventObject,
  type InspectionEvent,
  type Observer,
  type Snapshot,
  type SnapshotFrom,
} from 'xstate';
import { suspensionMachine } from '../suspension/suspension.machine.ts';
import { taskMachine } from '../task/task.machine.ts';
import { isKnownFact, type Fact, type UnknownFact } from '../wire/facts.ts';
import { unaskedSuspension, type Aggregate } from './aggregate.ts';
import { concernedSuspensions, isUsable } from './fold.ts';

/** Sees what actors do: Stately's inspector, or a function. */
export type Inspect = Observer<InspectionEvent> | ((event: InspectionEvent) => void);

/** The charts of one aggregate as running actors, for inspectors to show. They follow the log and decide nothing. */
export interface AggregateActors {
  /** Sends the next fact of the log to the charts that it moves, as `fold` would. */
  feed(fact: Fact | UnknownFact): void;
  /** Tells the root of what happened to the task as a whole. */
  tell(event: EventObject): void;
  /** Starts another chart beneath the root. */
  add<M extends AnyStateMachine>(id: string, machine: M, snapshot: SnapshotFrom<M>): AnyActorRef;
  stop(): void;
}

/** Starts a root actor, whose id is the task's, and beneath it one for each chart of an aggregate: `task`, and `questions.<suspendId>`. */
export function startActors(taskId: string, aggregate: Aggregate, inspect: Inspect): AggregateActors {
  const children: AnyActorRef[] = [];
  const logic = fromTransition(
    (context, event: EventObject, { stopChild }) => {
      if (event.type === 'xstate.stop') children.forEach((child) => stopChild(child));
      return context;
    },
    { taskId },
  );
  const root = createActor(logic, { id: taskId, inspect }).start();
  const add: AggregateActors['add'] = (id, machine, snapshot) => {
    const child = createActor<AnyStateMachine>(machine, { id, parent: root as AnyActorRef, snapshot: snapshot as Snapshot<unknown> });
    children.push(child);
    return child.start();
  };
  const addSuspension = (id: string, snapshot: SnapshotFrom<typeof suspensionMachine>): AnyActorRef =>
    add(`questions.${id}`, suspensionMachine, snapshot);

  // The chart's own snapshots, whatever type it runs as here.
  const task = add('task', taskMachine, aggregate.task) as ActorRef<Aggregate['task'], Fact>;
  const suspensions = new Map([...aggregate.suspensions].map(([id, snapshot]) => [id, addSuspension(id, snapshot)] as const));

  return {
    feed(fact) {
      const { status, context } = task.getSnapshot();
      if (status !== 'active' || (isKnownFact(fact) && !isUsable(fact))) return;
      const concerned = isKnownFact(fact) ? concernedSuspensions(fact, context.openSuspensionIds) : [];
      // The chart ignores a type that it does not know; an inspector shows it all the same.
      task.send(fact as Fact);
      for (const id of concerned) {
        const known = suspensions.get(id);
        if (!known && fact.type !== 'TASK_SUSPENDED') continue;
        const actor = known ?? addSuspension(id, unaskedSuspension);
        suspensions.set(id, actor);
        actor.send(fact);
      }
    },
    tell: (event) => root.send(event),
    add,
    stop: () => void root.stop(),
  };
}
