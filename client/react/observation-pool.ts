import {
  idleSnapshot,
  TaskBridgeClientError,
  type CallContext,
  type Clock,
  type Observation,
  type ObservationSnapshot,
  type TaskBridgeClient,
} from '../index.ts';

/** One task as any number of components see it. */
export interface PooledObservation {
  /** The same object until something changed. */
  getSnapshot(): ObservationSnapshot;
  /** Observes while anybody listens, and a little longer; calls back once a batch. */
  subscribe(listener: () => void): () => void;
  /** Observes until something is known of it, and a little longer. The same promise while nothing is; it never rejects. */
  whenKnown(): Promise<void>;
  /** Observes until it is released, and a little longer. Of a task that cannot be observed `observation` is undefined. */
  hold(): { readonly observation: Pick<Observation, 'taskId'> | undefined; release(): void };
}

/** The observations of one client in one context. */
export interface ObservationPool {
  /** Opens and keeps nothing by itself: what is only rendered costs nothing. `fetched` is shown until an observation knows more. */
  of(taskId: string, fetched?: ObservationSnapshot): PooledObservation;
}

/** When an observation that nobody listens to any more is closed. */
export interface Linger {
  readonly clock: Clock;
  readonly ms: number;
}

type Observed = Pick<Observation, 'getSnapshot' | 'subscribe' | 'close'> & Partial<Pick<Observation, 'taskId'>>;

/** An observation, and who listens to it. */
interface SharedObservation {
  observation: Observed;
  listeners: number;
  timer: unknown;
  known?: Promise<void>;
}

/** What cannot be observed, an impossible id or by a closed client, is shown: an effect that throws takes its page down. */
function observed(client: TaskBridgeClient, taskId: string, context: CallContext | undefined): Observed {
  try {
    return client.observe(taskId, context && { context });
  } catch (error) {
    if (!(error instanceof TaskBridgeClientError)) throw error;
    const snapshot = idleSnapshot(taskId, error);
    return { getSnapshot: () => snapshot, subscribe: () => ({ unsubscribe: () => undefined }), close: () => undefined };
  }
}

/** False for what stands for an observation of a task that cannot be observed. */
function isObservation(observation: Observed): observation is Observation {
  return observation.taskId !== undefined;
}

/** Resolves when something is known of the task, and be it that there is none. */
function untilKnown(observation: Observed): Promise<void> {
  return new Promise<void>((resolve) => {
    const look = (): void => {
      if (observation.getSnapshot().known === 'pending') return;
      subscription.unsubscribe();
      resolve();
    };
    const subscription = observation.subscribe(look);
    look();
  });
}

/** Shares one observation for each task among all who listen. */
export function createObservationPool(client: TaskBridgeClient, context: CallContext | undefined, { clock, ms }: Linger): ObservationPool {
  const all = new Map<string, SharedObservation>();

  const observe = (taskId: string): Observed => observed(client, taskId, context);

  function retain(taskId: string): SharedObservation {
    const known = all.get(taskId);
    if (!known) {
      const shared = { observation: observe(taskId), listeners: 1, timer: undefined };
      all.set(taskId, shared);
      return shared;
    }
    if (known.timer !== undefined) clock.clearTimeout(known.timer);
    known.timer = undefined;
    // What cannot go on is tried anew by whoever comes after everybody left.
    const { state } = known.observation.getSnapshot().connection;
    if (known.listeners === 0 && (state === 'failed' || state === 'closed')) known.observation = observe(taskId);
    known.listeners += 1;
    return known;
  }

  /** StrictMode, a list that is sorted anew and a page that is left for a moment all come back at once. */
  function release(taskId: string, shared: SharedObservation): void {
    shared.listeners -= 1;
    if (shared.listeners > 0) return;
    shared.timer = clock.setTimeout(() => {
      all.delete(taskId);
      shared.observation.close();
    }, ms);
  }

  function subscribe(taskId: string, listener: () => void): () => void {
    const shared = retain(taskId);
    const subscription = shared.observation.subscribe(listener);
    return () => {
      subscription.unsubscribe();
      release(taskId, shared);
    };
  }

  function whenKnown(taskId: string): Promise<void> {
    const known = all.get(taskId)?.known;
    if (known) return known;
    const shared = retain(taskId);
    shared.known = untilKnown(shared.observation).finally(() => {
      delete shared.known;
      release(taskId, shared);
    });
    return shared.known;
  }

  return {
    of(taskId, fetched) {
      const idle = fetched ?? idleSnapshot(taskId);
      const orFetched = fetched ? overlaid(fetched) : (snapshot: ObservationSnapshot) => snapshot;
      return {
        getSnapshot() {
          const observation = all.get(taskId)?.observation;
          return observation ? orFetched(observation.getSnapshot()) : idle;
        },
        subscribe: (listener) => subscribe(taskId, listener),
        whenKnown: () => whenKnown(taskId),
        hold() {
          const shared = retain(taskId);
          const { observation } = shared;
          return { observation: isObservation(observation) ? observation : undefined, release: () => release(taskId, shared) };
        },
      };
    },
  };
}

/** What was fetched, how it is connected now, until the observation knows more. The same object for the same snapshot. */
function overlaid(fetched: ObservationSnapshot): (snapshot: ObservationSnapshot) => ObservationSnapshot {
  let last: { readonly of: ObservationSnapshot; readonly shown: ObservationSnapshot } | undefined;
  return (snapshot) => {
    if (snapshot.known !== 'pending') return snapshot;
    if (last?.of !== snapshot) last = { of: snapshot, shown: { ...fetched, connection: snapshot.connection } };
    return last.shown;
  };
}
