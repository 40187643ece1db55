import { createActor, fromTransition, type ActorRefFrom, type Subscription } from 'xstate';
import { emptyAggregate } from '../../machines/index.ts';
import { isStart, type Fact, type UnknownFact } from '../../machines/wire/index.ts';
import type { CallContext } from '../auth/credentials.ts';
import { checkpointKey } from '../checkpoints/checkpoint.ts';
import type { CheckpointTracker } from '../checkpoints/checkpoint-tracker.ts';
import { aborted, closed, type TaskBridgeClientError } from '../errors.ts';
import type { ClientSettings } from '../options.ts';
import type { Answered } from './answered-questions.ts';
import { createAckTracker } from './ack-tracker.ts';
import { createDeliveryBuffer } from './delivery-buffer.ts';
import type { AttachedObservation, SharedConnection, SharedConnectionView } from './shared-connection.ts';
import type { SharedConnections } from './shared-connections.ts';
import type { ProjectionStart } from './projection.ts';
import { viewConnection, viewTask, type Ending, type ObservationSnapshot } from './snapshot.ts';

/** How to observe. */
export interface ObserveOptions {
  /** Begin after this fact; `''` or `'0-0'` = from the start. Defaults to the stored checkpoint, else the start. */
  readonly lastEventId?: string;
  /** Closes the observation; its iterators fail with code `ABORTED`. */
  readonly signal?: AbortSignal;
  /** Handed to `auth`, `routes` and `listener`. */
  readonly context?: CallContext;
}

interface ChangedEvent {
  readonly type: 'observation.changed';
  readonly snapshot: ObservationSnapshot;
}
const logic = fromTransition(
  // A stopped actor is told of it by an event of XState's own.
  (known: ObservationSnapshot, event: ChangedEvent) => (event.type === 'observation.changed' ? event.snapshot : known),
  ({ input }: { input: ObservationSnapshot }) => input,
);
/** A live XState actor whose snapshot's `context` is an {@link ObservationSnapshot}. */
export type ObservationActor = ActorRefFrom<typeof logic>;

/**
 * One task under observation: facts for iterators, snapshots for subscribers. Connects at once and stays connected until the terminal fact,
 * a fatal answer, `close()`, or until the last iterator leaves where nobody subscribes.
 */
export interface Observation extends AsyncIterable<Fact | UnknownFact> {
  readonly taskId: string;
  /** For hosts that speak XState. Whoever takes it counts as a subscriber. */
  readonly actor: ObservationActor;
  /** The same object until something changed. */
  getSnapshot(): ObservationSnapshot;
  /** Calls back once a batch, after `getSnapshot()` has changed. */
  subscribe(listener: (snapshot: ObservationSnapshot) => void): Subscription;
  /**
   * Every fact once and in order, from the observation's beginning. A fact is acked with when the next one is asked for. Ends after the
   * terminal fact, when `getSnapshot()` has the whole task; otherwise fails with a {@link TaskBridgeClientError}.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<Fact | UnknownFact>;
  /** Frees everything. Iterators fail with code `CLOSED` unless the log had ended. */
  close(): void;
}

/** What the client gives each of its observations. */
export interface ObservationDeps {
  readonly settings: ClientSettings;
  readonly checkpoints: CheckpointTracker;
  readonly answered: Answered;
  readonly connections: SharedConnections;
  /** The observation holds nothing any more. */
  readonly onFreed: (observation: Observation) => void;
}

/** Observes one task: boards a shared, hands facts to iterators and snapshots to subscribers. */
// eslint-disable-next-line max-lines-per-function -- One state that all verbs share; a class costs more bytes than `npm run size` has left.
export function createObservation(taskId: string, options: ObserveOptions, host: ObservationDeps): Observation {
  const { settings, answered, checkpoints } = host;
  const { context, signal } = options;
  let shared: SharedConnection | undefined;
  let parted: SharedConnectionView | undefined;
  let cursor: string | null = null;
  let isFull = false;
  let hasSubscribers = false;
  let ending: Ending | undefined;
  let isFree = false;
  let notifying = false;
  let dirty = true;
  let snapshot: ObservationSnapshot;

  const view = (): SharedConnectionView | undefined => shared?.view() ?? parted;
  const key = checkpointKey(settings.checkpointNamespace, settings.baseUrl, taskId);
  // While the snapshot is awaited, what is shown is of before.
  const share = checkpoints.join(taskId, key, () => (view()?.isSettled ? view()?.aggregate : undefined));
  const buffer = createDeliveryBuffer(
    {
      undeliveredMax: settings.limits.undeliveredMax,
      undeliveredBytesMax: settings.limits.undeliveredBytesMax,
      hasSubscribers: () => hasSubscribers,
      isHidden: (fact) => settings.hideAnswered && answered.has(fact),
    },
    {
      full() {
        isFull = true;
        shared?.review();
      },
      drained() {
        isFull = false;
        if (shared) shared.review();
        else if (parted && !ending) attach(parted.isSettled ? parted.aggregate : 'ask', parted.result);
      },
      acked: settle,
      abandoned: () => {
        if (!hasSubscribers) close();
      },
    },
  );
  const acks = createAckTracker({ share, buffer, isDone: () => ending?.state === 'done', onDone: free });
  const member: AttachedObservation = {
    get cursor() {
      return cursor;
    },
    get isFull() {
      return isFull;
    },
    take(fact, bytes) {
      cursor = fact.eventId;
      buffer.append(fact, bytes);
    },
    gap({ reason }) {
      if (reason === 'reset') share.reset();
    },
    changed,
    placed(next) {
      if (!next) parted = shared?.view();
      shared = next;
      changed();
    },
    ended: end,
  };

  snapshot = read();
  const actor = createActor(logic, { id: `${taskId}/observation`, input: snapshot }).start();
  const observation: Observation = {
    taskId,
    get actor() {
      subscribed();
      return actor;
    },
    getSnapshot,
    subscribe(listener) {
      subscribed();
      return actor.subscribe((now) => listener(now.context));
    },
    [Symbol.asyncIterator]: () => buffer.iterate(),
    close,
  };
  if (signal?.aborted) onAbort();
  else signal?.addEventListener('abort', onAbort);
  void begin();
  return observation;

  async function begin(): Promise<void> {
    const [checkpoint] = await Promise.all([share.load(), answered.load(taskId)]);
    if (ending) return;
    const explicit = options.lastEventId;
    cursor = explicit === undefined ? (checkpoint?.eventId ?? null) : isStart(explicit) ? null : explicit;
    attach(cursor === null ? emptyAggregate : explicit === undefined && checkpoint?.task ? checkpoint.task : 'ask');
  }

  function attach(start: ProjectionStart, result?: unknown): void {
    host.connections.attach(member, { taskId, context, cursor, start, result });
  }

  function end(state: Ending['state'], error?: TaskBridgeClientError): void {
    if (ending) return;
    ending = { state, ...(error && { error }) };
    signal?.removeEventListener('abort', onAbort);
    if (state === 'closed') buffer.abort(error ?? closed('observation'));
    else if (state === 'failed') buffer.finish(error);
    changed();
    // After the end of the log the consumers still have to deal with it, and the checkpoint with them.
    if (state !== 'done') free();
  }

  function free(): void {
    if (isFree) return;
    isFree = true;
    // A finished log may still be waiting for the snapshot that its projection begins with.
    if (ending?.state !== 'done') part();
    share.leave();
    host.onFreed(observation);
  }

  /** Leaves the shared for good, and keeps what it showed. */
  function part(): void {
    parted = view();
    shared?.leave(member);
    shared = undefined;
  }

  function settle(): void {
    if (!isFree) acks.settle();
  }

  /** Subscribers hear once of all that one turn brought. */
  function changed(): void {
    dirty = true;
    if (notifying) return;
    notifying = true;
    queueMicrotask(notify);
  }

  function notify(): void {
    notifying = false;
    const now = { count: buffer.end, eventId: buffer.end > 0 ? cursor : null };
    if (actor.getSnapshot().status !== 'active') return;
    actor.send({ type: 'observation.changed', snapshot: getSnapshot() });
    acks.told(now);
    settle();
    if (!ending || notifying || (ending.state === 'done' && view()?.isSettled === false)) return;
    // Whoever looks at the task after its last fact finds all of it.
    buffer.finish();
    actor.stop();
  }

  function read(): ObservationSnapshot {
    const { chart, aggregate = emptyAggregate, result } = view() ?? {};
    const connection = viewConnection(chart, ending);
    // On no shared, but not at an end: it waits for its consumers.
    const isWaiting = parted && !shared && !ending;
    return { connection: isWaiting ? { ...connection, state: 'paused' } : connection, task: viewTask(taskId, aggregate, result) };
  }

  function getSnapshot(): ObservationSnapshot {
    if (dirty) snapshot = read();
    dirty = false;
    return snapshot;
  }

  function subscribed(): void {
    hasSubscribers = true;
    acks.subscribed();
    buffer.review();
  }

  function onAbort(): void {
    if (signal) end('closed', aborted(signal));
  }

  function close(): void {
    end('closed', closed('observation'));
    buffer.finish();
    free();
    part();
  }
}
