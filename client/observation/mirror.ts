import { createActor, type ActorOptions, type AnyActorLogic } from 'xstate';
import {
  isKnownFact,
  isUsable,
  suspensionMachine,
  taskMachine,
  unaskedSuspension,
  type Aggregate,
  type Fact,
  type SuspensionSnapshot,
  type UnknownFact,
} from '../../machines/index.ts';
import type { TaskBridgeClientOptions } from '../options.ts';

/** Real actors of the recorded charts, for an inspector to look at. They follow the projection and decide nothing. */
export interface Mirror {
  /** Begins anew at another aggregate. */
  show(aggregate: Aggregate): void;
  /** Sends one fact to the charts that it moves; `before` is the aggregate that it is about to be folded into. */
  feed(fact: Fact | UnknownFact, before: Aggregate): void;
  stop(): void;
}

const blind: Mirror = { show: () => undefined, feed: () => undefined, stop: () => undefined };

/** Makes actors only where somebody inspects. */
export function createMirror(taskId: string, inspect: TaskBridgeClientOptions['inspect']): Mirror {
  if (!inspect) return blind;
  let task: ReturnType<typeof showTask> | undefined;
  let suspensions = new Map<string, ReturnType<typeof showSuspension>>();

  const options = <T extends AnyActorLogic>(id: string): ActorOptions<T> => ({ id, inspect }) as ActorOptions<T>;
  const showTask = (snapshot: Aggregate['task']) => createActor(taskMachine, { ...options<typeof taskMachine>(taskId), snapshot }).start();
  const showSuspension = (id: string, snapshot: SuspensionSnapshot) =>
    createActor(suspensionMachine, { ...options<typeof suspensionMachine>(`${taskId}/${id}`), snapshot }).start();

  function stop(): void {
    task?.stop();
    for (const actor of suspensions.values()) actor.stop();
    suspensions = new Map();
  }

  return {
    show(aggregate) {
      stop();
      task = showTask(aggregate.task);
      for (const [id, snapshot] of aggregate.suspensions) suspensions.set(id, showSuspension(id, snapshot));
    },
    feed(fact, before) {
      if (task?.getSnapshot().status !== 'active') return;
      if (!isKnownFact(fact)) {
        // The chart ignores types that it does not know; an inspector shows them all the same.
        task.send(fact as unknown as Fact);
        return;
      }
      if (!isUsable(fact)) return;
      task.send(fact);
      for (const id of concerned(fact, before)) {
        const known = suspensions.get(id);
        if (!known && fact.type !== 'TASK_SUSPENDED') continue;
        const actor = known ?? showSuspension(id, unaskedSuspension);
        suspensions.set(id, actor);
        actor.send(fact);
      }
    },
    stop,
  };
}

function concerned(fact: Fact, before: Aggregate): readonly string[] {
  switch (fact.type) {
    case 'TASK_SUSPENDED':
    case 'TASK_ACTION_ACCEPTED':
    case 'TASK_SUSPENSION_CLOSED':
      return [fact.payload.suspendId];
    case 'TASK_COMPLETED':
    case 'TASK_FAILED':
    case 'TASK_CANCELLED':
      return before.task.context.openSuspensionIds;
    default:
      return [];
  }
}
