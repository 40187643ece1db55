import { createActor, type Actor, type ActorOptions, type AnyActorLogic, type InspectionEvent, type Observer } from 'xstate';
import { suspensionMachine } from '../suspension/suspension.machine.ts';
import { taskMachine } from '../task/task.machine.ts';
import { isKnownFact, type Fact, type UnknownFact } from '../wire/facts.ts';
import { unaskedSuspension, type Aggregate, type SuspensionSnapshot, type TaskSnapshot } from './aggregate.ts';
import { concernedSuspensions, isUsable } from './fold.ts';

/** Sees what actors do: Stately's inspector, or a function. */
export type Inspect = Observer<InspectionEvent> | ((event: InspectionEvent) => void);

/** The charts of one aggregate as running actors, for hosts to subscribe to and inspectors to show. They follow the log and decide nothing. */
export interface AggregateActors {
  /** Its id is the task's; those of suspensions are `<taskId>/<suspendId>`. */
  readonly task: Actor<typeof taskMachine>;
  /** Sends the next fact of the log to the charts that it moves, as `fold` would. */
  feed(fact: Fact | UnknownFact): void;
  stop(): void;
}

/** Starts an actor for each chart of an aggregate. */
export function startActors(taskId: string, aggregate: Aggregate, inspect?: Inspect): AggregateActors {
  const options = <T extends AnyActorLogic>(id: string): ActorOptions<T> => ({ id, ...(inspect && { inspect }) }) as ActorOptions<T>;
  const startTask = (snapshot: TaskSnapshot) => createActor(taskMachine, { ...options<typeof taskMachine>(taskId), snapshot }).start();
  const startSuspension = (id: string, snapshot: SuspensionSnapshot) =>
    createActor(suspensionMachine, { ...options<typeof suspensionMachine>(`${taskId}/${id}`), snapshot }).start();

  const task = startTask(aggregate.task);
  const suspensions = new Map([...aggregate.suspensions].map(([id, snapshot]) => [id, startSuspension(id, snapshot)] as const));

  return {
    task,
    feed(fact) {
      const { status, context } = task.getSnapshot();
      if (status !== 'active' || (isKnownFact(fact) && !isUsable(fact))) return;
      // The chart ignores a type that it does not know; an inspector shows it all the same.
      task.send(fact as Fact);
      if (!isKnownFact(fact)) return;
      for (const id of concernedSuspensions(fact, context.openSuspensionIds)) {
        const known = suspensions.get(id);
        if (!known && fact.type !== 'TASK_SUSPENDED') continue;
        const actor = known ?? startSuspension(id, unaskedSuspension);
        suspensions.set(id, actor);
        actor.send(fact);
      }
    },
    stop() {
      task.stop();
      for (const actor of suspensions.values()) actor.stop();
    },
  };
}
