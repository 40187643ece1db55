import type { Observer, Subscription } from 'xstate';
import { emptyAggregate } from '../../machines/index.ts';
import { isStart, type Fact, type Gap, type UnknownFact } from '../../machines/wire/index.ts';
import type { CallContext } from '../auth/credentials.ts';
import { onAbort } from '../abort.ts';
import { checkpointKey } from '../checkpoints/checkpoint.ts';
import type { CheckpointHandle, CheckpointTracker } from '../checkpoints/checkpoint-tracker.ts';
import type { InnerCommands } from '../commands/commands.ts';
import { aborted, closed, type TaskBridgeClientError } from '../errors.ts';
import type { ClientSettings } from '../options.ts';
import { createAckTracker, type AckTracker } from './ack-tracker.ts';
import type { AnsweredQuestions } from './answered-questions.ts';
import { createDeliveryBuffer, type DeliveryBuffer } from './delivery-buffer.ts';
import { createNotifier, type Notifier, type ObservationActor } from './notifier.ts';
import type { AttachedObservation, SharedConnection, SharedConnectionStart, SharedConnectionView } from './shared-connection.ts';
import type { JoinedParts } from './part-port.ts';
import type { SharedConnections } from './shared-connections.ts';
import { keepSame } from './same.ts';
import { viewConnection, viewKnown, viewTask, type Ending, type ObservationSnapshot } from './snapshot.ts';

/** How to observe. */
export interface ObserveOptions {
  /** Begin after this fact; `''` or `'0-0'` = from the start. Defaults to the stored checkpoint, else the start. */
  readonly lastEventId?: string;
  /** Closes the observation; its iterators fail with code `ABORTED`. */
  readonly signal?: AbortSignal;
  /** Handed to `auth`, `routes` and `listener`. */
  readonly context?: CallContext;
}

/**
 * One task under observation: facts for iterators, snapshots for subscribers. Connects at once and stays connected until the terminal fact,
 * a fatal answer, `close()`, or until the last iterator leaves where nobody subscribes.
 */
export interface Observation extends AsyncIterable<Fact | UnknownFact> {
  readonly taskId: string;
  /** For hosts that speak XState. Whoever takes it counts as a subscriber. */
  readonly actor: ObservationActor;
  /** The same object until something changed, and so is each of its parts. */
  getSnapshot(): ObservationSnapshot;
  /**
   * Calls back once a batch, after `getSnapshot()` has changed. An observer is also told of the end: `error` where the observation failed,
   * `complete` after the terminal fact and after `close()`.
   */
  subscribe(listener: ((snapshot: ObservationSnapshot) => void) | Observer<ObservationSnapshot>): Subscription;
  /**
   * Every fact once and in order, from the observation's beginning. A fact is acknowledged when the next one is asked for. Ends after the
   * terminal fact, when `getSnapshot()` has the whole task; otherwise fails with a {@link TaskBridgeClientError}.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<Fact | UnknownFact>;
  /**
   * Holds the connection for dead: it is tested at once, and opened anew where the server can be reached; a rest is cut short, unless the server
   * asked for it. For hosts that know of a change that `gate` and `networkChanges` do not tell.
   */
  reconnect(): void;
  /** Frees everything. Iterators fail with code `CLOSED` unless the log had ended. */
  close(): void;
}

/** What the client gives each of its observations. */
export interface ObservationDeps {
  readonly settings: ClientSettings;
  readonly checkpoints: CheckpointTracker;
  readonly answered: AnsweredQuestions | undefined;
  readonly connections: SharedConnections;
  readonly commands: Pick<InnerCommands, 'readPart'>;
  /** Those that hold something: each is among them until it does not. */
  readonly observations: Set<Observation>;
}

/** Observes one task: attaches it to a shared connection, hands facts to iterators and snapshots to subscribers. */
export function createObservation(taskId: string, options: ObserveOptions, deps: ObservationDeps): Observation {
  return new ObservedTask(taskId, options, deps).observation;
}

class ObservedTask implements AttachedObservation {
  readonly observation: Observation;
  cursor: string | null = null;
  isFull = false;
  readonly #taskId: string;
  readonly #options: ObserveOptions;
  readonly #deps: ObservationDeps;
  readonly #checkpoint: CheckpointHandle;
  readonly #buffer: DeliveryBuffer;
  readonly #acks: AckTracker;
  readonly #notifier: Notifier;
  readonly #parts: JoinedParts | undefined;
  #connection: SharedConnection | undefined;
  /** What the connection that it was last attached to showed. */
  #lastView: SharedConnectionView | undefined;
  #hasSubscribers = false;
  #ending: Ending | undefined;
  #isFree = false;
  readonly #forgetSignal: (() => void) | undefined;

  constructor(taskId: string, options: ObserveOptions, deps: ObservationDeps) {
    const { settings, checkpoints, answered, commands } = deps;
    const { undeliveredMax, undeliveredBytesMax } = settings.limits;
    this.#taskId = taskId;
    this.#options = options;
    this.#deps = deps;
    const key = checkpointKey(settings.checkpointNamespace, settings.baseUrl, taskId);
    // While the snapshot is awaited, what is shown is of before.
    this.#checkpoint = checkpoints.join({ taskId, context: options.context }, key, (eventId) => [
      this.#view?.isReady ? this.#view.aggregate : undefined,
      this.#parts?.store(eventId),
    ]);
    this.#buffer = createDeliveryBuffer(
      {
        undeliveredMax,
        undeliveredBytesMax,
        hasSubscribers: () => this.#hasSubscribers,
        isHidden: (fact) => answered?.has(fact) === true,
      },
      {
        full: () => this.#full(),
        drained: () => this.#drained(),
        acked: () => this.#moveCheckpoint(),
        abandoned: () => {
          if (!this.#hasSubscribers) this.#close();
        },
      },
    );
    this.#acks = createAckTracker({
      checkpoint: this.#checkpoint,
      buffer: this.#buffer,
      isDone: () => this.#ending?.state === 'done',
      onDone: () => this.#free(),
    });
    this.#notifier = createNotifier({ taskId, read: (before) => this.#read(before), notify: () => this.#notify() });
    this.observation = this.#toObservation();
    const { signal, context } = options;
    this.#parts = settings.parts?.join(
      this.observation,
      context,
      () => this.#checkpoint.aged(),
      (part, offset, reading) => commands.readPart(taskId, part, offset, { signal: reading, ...(context && { context }) }),
    );
    deps.observations.add(this.observation);
    this.#forgetSignal = onAbort(signal, () => signal && this.ended('closed', aborted(signal)));
    void this.#begin();
  }

  take(fact: Fact | UnknownFact, bytes: number): void {
    this.cursor = fact.eventId;
    this.#buffer.append(fact, bytes);
  }

  gap({ reason }: Gap): void {
    if (reason === 'reset') this.#checkpoint.reset();
  }

  restart(): void {
    this.cursor = null;
    this.#checkpoint.drop();
  }

  changed(): void {
    this.#notifier.changed();
  }

  attachedTo(connection: SharedConnection | undefined): void {
    if (!connection) this.#lastView = this.#connection?.view();
    this.#connection = connection;
    this.changed();
  }

  ended(state: Ending['state'], error?: TaskBridgeClientError): void {
    if (this.#ending) return;
    this.#ending = { state, ...(error && { error }) };
    this.#forgetSignal?.();
    if (state === 'closed') this.#buffer.abort(error ?? closed('observation'));
    else if (state === 'failed') this.#buffer.finish(error);
    this.changed();
    // After the end of the log the consumers still have to take it, and the checkpoint moves with them.
    if (state !== 'done') this.#free();
  }

  #toObservation(): Observation {
    const notifier = this.#notifier;
    const subscribed = (): void => this.#subscribed();
    return {
      taskId: this.#taskId,
      get actor() {
        subscribed();
        return notifier.actor;
      },
      getSnapshot: notifier.getSnapshot,
      subscribe(listener) {
        subscribed();
        const { next, error, complete } = typeof listener === 'function' ? { next: listener } : listener;
        return notifier.actor.subscribe({
          next: ({ context }) => next?.call(listener, context),
          complete: () => {
            const { connection } = notifier.getSnapshot();
            if (connection.state === 'failed') error?.call(listener, connection.error);
            else complete?.call(listener);
          },
        });
      },
      [Symbol.asyncIterator]: () => this.#buffer.iterate(),
      reconnect: () => this.#connection?.reconnect(),
      close: () => this.#close(),
    };
  }

  async #begin(): Promise<void> {
    const [checkpoint] = await Promise.all([this.#checkpoint.load(), this.#deps.answered?.load(this.#taskId)]);
    if (this.#ending) return;
    this.#parts?.restore(checkpoint?.parts);
    const explicit = this.#options.lastEventId;
    this.cursor = explicit === undefined ? (checkpoint?.eventId ?? null) : isStart(explicit) ? null : explicit;
    const isStored = explicit === undefined && this.cursor !== null;
    this.#attach({ start: this.cursor === null ? emptyAggregate : (isStored && checkpoint?.task) || 'ask', isStored });
  }

  #attach(begin: Pick<SharedConnectionStart, 'start' | 'isStored'>, known?: SharedConnectionView): void {
    const { context } = this.#options;
    const { result, isKnown } = known ?? {};
    this.#deps.connections.attach(this, {
      taskId: this.#taskId,
      context,
      cursor: this.cursor,
      ...begin,
      result,
      isKnown,
      parts: this.#parts?.record,
    });
  }

  #full(): void {
    this.isFull = true;
    this.#connection?.review();
  }

  #drained(): void {
    this.isFull = false;
    const last = this.#lastView;
    if (this.#connection) this.#connection.review();
    else if (last && !this.#ending) this.#attach({ start: last.isReady ? last.aggregate : 'ask' }, last);
  }

  #free(): void {
    if (this.#isFree) return;
    this.#isFree = true;
    // A finished log may still be waiting for the snapshot that its projection begins with.
    if (this.#ending?.state !== 'done') this.#detach();
    this.#parts?.leave();
    this.#checkpoint.leave();
    this.#deps.observations.delete(this.observation);
  }

  /** Leaves the connection for good, and keeps what it showed. */
  #detach(): void {
    this.#lastView = this.#view;
    this.#connection?.detach(this);
    this.#connection = undefined;
  }

  #moveCheckpoint(): void {
    if (!this.#isFree) this.#acks.moveCheckpoint();
  }

  /** Subscribers hear once of all that one turn brought. */
  #notify(): void {
    const { end } = this.#buffer;
    const position = { count: end, eventId: end > 0 ? this.cursor : null };
    if (!this.#notifier.publish()) return;
    this.#acks.notified(position);
    this.#moveCheckpoint();
    const isAwaitingSnapshot = this.#ending?.state === 'done' && this.#view?.isReady === false;
    if (!this.#ending || this.#notifier.isDue || isAwaitingSnapshot) return;
    // Whoever looks at the task after its last fact finds all of it.
    this.#buffer.finish();
    this.#notifier.actor.stop();
  }

  get #view(): SharedConnectionView | undefined {
    return this.#connection?.view() ?? this.#lastView;
  }

  #read(before?: ObservationSnapshot): ObservationSnapshot {
    const { chart, aggregate = emptyAggregate, result, isKnown = false } = this.#view ?? {};
    const connection = viewConnection(chart, this.#ending);
    // Attached to nothing, but not at an end: it waits for its consumers.
    const isWaiting = this.#lastView && !this.#connection && !this.#ending;
    return keepSame(before, {
      connection: keepSame(before?.connection, isWaiting ? { ...connection, state: 'paused' } : connection),
      task: viewTask(this.#taskId, aggregate, result, before?.task),
      known: viewKnown(isKnown, this.#ending),
    });
  }

  #subscribed(): void {
    this.#hasSubscribers = true;
    this.#acks.subscribed();
    this.#buffer.review();
  }

  #close(): void {
    this.ended('closed', closed('observation'));
    this.#buffer.finish();
    this.#free();
    this.#detach();
  }
}
