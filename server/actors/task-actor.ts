import { createActor, type ActorLogic, type ActorRef, type AnyActorRef, type EventObject, type Subscription } from 'xstate';
import { refusalCodes, type Aggregate, type RefusalCode, type TaskOutput, type TaskSnapshot } from '../../machines/index.ts';
import type { ErrorCode, Fact, Json, JsonObject } from '../../machines/wire/index.ts';
import { TaskBridgeError } from '../errors.ts';
import type { Logger } from '../ports/observability.ts';
import { Listeners } from './listeners.ts';

/** What a host may ask of a task by its actor. */
export type TaskRequest =
  | { readonly type: 'task.cancel'; readonly reason?: string }
  | {
      readonly type: 'action.submit';
      readonly suspendId: string;
      readonly actionType: string;
      /** Tells a repeat from another answer. Defaults to one of its own. */
      readonly clientActionId?: string;
      readonly payload?: JsonObject;
      readonly metadata?: JsonObject;
    };

/** What an actor emits of a request that became no fact. */
export interface RefusedRequest {
  readonly type: 'refused';
  /** Of the chart, or of the error that the same request would have been answered with by a route. */
  readonly code: RefusalCode | ErrorCode;
  readonly message: string;
  /** What was sent. */
  readonly request: EventObject;
}

/** What a task ended with, its result among it. */
export type TaskOutcome =
  Exclude<TaskOutput, { status: 'COMPLETED' }> | (TaskOutput & { readonly status: 'COMPLETED'; readonly result: Json });

/** The task's chart at one moment, as far as this node knows the log. */
export type TaskActorSnapshot = Omit<TaskSnapshot, 'can' | 'status' | 'output' | 'error'> & {
  /** Whether the charts would take the request now, as far as this node knows; a policy may still refuse it. */
  can(request: TaskRequest): boolean;
} & (
    | { readonly status: 'active'; readonly output: undefined; readonly error: undefined }
    | { readonly status: 'stopped'; readonly output: undefined; readonly error: undefined }
    | { readonly status: 'done'; readonly output: TaskOutcome; readonly error: undefined }
  );

/**
 * A task as a running XState actor: one holder's own view of its chart, fed the committed facts of any node.
 *
 * `send` asks for something in the host's own name; what it becomes comes back through `on`: the committed facts by their types, and
 * `refused`. `subscribe`, `waitFor` and `toPromise` of XState show the chart as it moves and what the task ends with; after that it takes
 * nothing. `stop` lets go of this one only.
 */
export type TaskActor = ActorRef<TaskActorSnapshot, TaskRequest, Fact | RefusedRequest>;

/** What a task's actor works with. */
export interface TaskActorDeps {
  readonly taskId: string;
  readonly logger: Logger;
  /** Requests of one actor that may wait for their answers. */
  readonly requestsMax: number;
  /** Commits what is asked. Gives why it became no fact, where it did not. */
  commit(request: TaskRequest): Promise<RefusalCode | undefined>;
  /** See {@link TaskActorSnapshot}. */
  can(aggregate: Aggregate, request: TaskRequest): boolean;
  /** It was stopped by its holder. */
  onStopped(): void;
  /** Whether somebody subscribes or listens has changed. */
  onPinned(isPinned: boolean): void;
}

/** An actor, and the only way to move it. */
export interface FedActor {
  readonly actor: TaskActor;
  /** Shows what the log says after its next fact; `result` is what a completed task ended with. */
  feed(aggregate: Aggregate, fact: Fact, result?: Json): void;
}

/** Told to the actor from within; nobody else can make one, so that nobody else's word moves it. */
class Committed implements EventObject {
  readonly type = 'log.advanced';
  readonly fact: Fact;
  readonly snapshot: TaskActorSnapshot;
  constructor(fact: Fact, snapshot: TaskActorSnapshot) {
    this.fact = fact;
    this.snapshot = snapshot;
  }
}

type Told = TaskRequest | Committed | { readonly type: 'xstate.stop' };
type Emitted = Fact | RefusedRequest;
type Logic = ActorLogic<TaskActorSnapshot, Told, undefined, AnyActorRef['system'], Emitted>;

/** Starts an actor that shows an aggregate. */
export function startTaskActor(aggregate: Aggregate, result: Json | undefined, deps: TaskActorDeps): FedActor {
  const show = (now: Aggregate, end: Json | undefined): TaskActorSnapshot => shown(now, end, (request) => deps.can(now, request));
  const listeners = new Listeners<Emitted>();
  const actor = createActor(logicOf(show(aggregate, result), listeners, deps), { id: deps.taskId });
  const pin = pinsOf(deps.onPinned);
  // XState keeps its observers to itself, so they are counted on their way in; and what it emits is heard until the end only.
  const subscribe = actor.subscribe.bind(actor) as (...args: unknown[]) => Subscription;
  Object.assign(actor, {
    subscribe: (...args: unknown[]) => pin(subscribe(...args)),
    on: (type: string, hear: (emitted: Emitted) => void) => pin(listeners.add(type, hear)),
  });
  actor.start();
  return {
    // Its holders send requests; what else its logic knows is made here.
    actor: actor as unknown as TaskActor,
    feed: (now, fact, end) => actor.send(new Committed(fact, show(now, end))),
  };
}

function logicOf(first: TaskActorSnapshot, listeners: Listeners<Emitted>, deps: TaskActorDeps): Logic {
  const { taskId, logger, onStopped } = deps;
  const ask = askerOf(listeners, deps);
  return {
    getInitialSnapshot: () => first,
    getPersistedSnapshot: (snapshot) => snapshot.machine.getPersistedSnapshot(snapshot as unknown as TaskSnapshot),
    transition(snapshot, event, { defer }) {
      if (event instanceof Committed) {
        // Whoever hears of it finds the snapshot that it led to.
        defer(() => listeners.emit(event.fact));
        return event.snapshot;
      }
      switch (event.type) {
        case 'xstate.stop':
          listeners.clear();
          onStopped();
          return { ...snapshot, status: 'stopped', output: undefined, error: undefined };
        case 'task.cancel':
        case 'action.submit':
          defer(() => ask(event));
          return snapshot;
        default:
          // Callers without TypeScript, and machines that pass on what they hear.
          defer(() => listeners.emit(foreign(event)));
          logger.warn('A task actor was sent what a host may not say.', { taskId, type: (event as EventObject).type });
          return snapshot;
      }
    },
  };
}

/** Commits one request after the other, and tells of those that became nothing. */
function askerOf(listeners: Listeners<Emitted>, { requestsMax, commit }: TaskActorDeps): (request: TaskRequest) => void {
  let waiting = 0;
  return (request) => {
    const refuse = (code: RefusedRequest['code'], message: string): void => listeners.emit({ type: 'refused', code, message, request });
    if (waiting >= requestsMax) return refuse('RATE_LIMITED', `${requestsMax} requests wait for this task already; send fewer at once.`);
    waiting += 1;
    void commit(request)
      .then(
        (refusal) => refusal && refuse(refusal, refusalCodes[refusal]),
        (error: unknown) =>
          error instanceof TaskBridgeError ? refuse(error.code, error.message) : refuse('INTERNAL_ERROR', 'The request failed.'),
      )
      .finally(() => void (waiting -= 1));
  };
}

function foreign(request: EventObject): RefusedRequest {
  const whose = /^[A-Z_]+$/.test(request.type) ? 'is a fact, which comes of a commit' : 'is not for a host to say';
  return { type: 'refused', code: 'INVALID_REQUEST', message: `${request.type} ${whose}; send task.cancel or action.submit.`, request };
}

function shown({ task }: Aggregate, result: Json | undefined, can: TaskActorSnapshot['can']): TaskActorSnapshot {
  const output = task.output?.status === 'COMPLETED' ? { ...task.output, result: result ?? null } : task.output;
  // A chart of facts is active or done.
  return { ...task, can, output } as TaskActorSnapshot;
}

/** Counts subscriptions, and tells when there are some and when there are none. */
function pinsOf(onPinned: (isPinned: boolean) => void): (subscription: Subscription) => Subscription {
  let pins = 0;
  return (subscription) => {
    let isOpen = true;
    if ((pins += 1) === 1) onPinned(true);
    return {
      unsubscribe() {
        subscription.unsubscribe();
        if (isOpen && (pins -= 1) === 0) onPinned(false);
        isOpen = false;
      },
    };
  };
}
