import { createActor, fromTransition, type ActorRefFrom, type Subscription } from 'xstate';
import { emptyAggregate, isStart, type Fact, type TransportEvent, type UnknownFact } from '../../machines/index.ts';
import type { CallContext, Credentials } from '../auth/credentials.ts';
import { checkpointKey } from '../checkpoints/checkpoint.ts';
import type { Keeper } from '../checkpoints/keeper.ts';
import type { InnerCommands } from '../commands/commands.ts';
import { aborted, closed, fatal, TaskBridgeClientError } from '../errors.ts';
import type { ClientSettings } from '../options.ts';
import type { Answered } from './answered.ts';
import { createIntake } from './intake.ts';
import { createJournal, type Dealt } from './journal.ts';
import { createMirror } from './mirror.ts';
import { createProjection, type Projection, type ProjectionStart } from './projection.ts';
import { viewConnection, viewTask, type Ending, type ObservationSnapshot } from './snapshot.ts';
import { createTransportActor, type TransportActor } from './transport-actor.ts';

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
   * Every fact once and in order, from the observation's beginning. A fact is dealt with when the next one is asked for. Ends after the
   * terminal fact; otherwise fails with a {@link TaskBridgeClientError}.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<Fact | UnknownFact>;
  /** Frees everything. Iterators fail with code `CLOSED` unless the log had ended. */
  close(): void;
}

/** What the client gives each of its observations. */
export interface ObservationHost {
  readonly settings: ClientSettings;
  readonly credentialsOf: (context: CallContext | undefined) => Credentials;
  readonly commands: InnerCommands;
  readonly keeper: Keeper;
  readonly answered: Answered;
  /** The observation holds nothing any more. */
  readonly onFreed: (observation: Observation) => void;
}

/** Observes one task. */
export function createObservation(taskId: string, options: ObserveOptions, host: ObservationHost): Observation {
  const { settings, commands, answered } = host;
  const { context } = options;
  let projection: Projection | undefined;
  let chart: TransportActor | undefined;
  let hasSubscribers = false;
  let ending: Ending | undefined;
  let isFree = false;
  let notifying = false;
  let dirty = true;
  let snapshot: ObservationSnapshot;
  let lastDelivered: string | null = null;
  let told: Dealt = { count: 0, eventId: null };
  const abort = new AbortController();

  const share = host.keeper.join(
    taskId,
    checkpointKey(settings.checkpointNamespace, settings.baseUrl, taskId),
    () => projection?.aggregate,
  );
  const mirror = createMirror(taskId, settings.inspect);
  const journal = createJournal(
    {
      undeliveredMax: settings.limits.undeliveredMax,
      undeliveredBytesMax: settings.limits.undeliveredBytesMax,
      hasSubscribers: () => hasSubscribers,
      waitingElsewhere: () => projection?.waiting ?? 0,
      isHidden: (fact) => settings.hideAnswered && answered.has(fact),
    },
    {
      full: () => tellChart({ type: 'consumer.full' }),
      drained: () => tellChart({ type: 'consumer.drained' }),
      dealt: settleShare,
      abandoned: () => {
        if (!hasSubscribers) close();
      },
    },
  );

  snapshot = read();
  const actor = createActor(logic, { id: `${taskId}/observation`, input: snapshot }).start();
  void begin();

  async function begin(): Promise<void> {
    const [checkpoint] = await Promise.all([share.load(), answered.load(taskId)]);
    if (ending) return;
    const explicit = options.lastEventId;
    const cursor = explicit === undefined ? (checkpoint?.eventId ?? null) : isStart(explicit) ? null : explicit;
    const start: ProjectionStart = cursor === null ? emptyAggregate : explicit === undefined && checkpoint?.task ? checkpoint.task : 'ask';
    const intake = createIntake(
      {
        taskId,
        context,
        listener: settings.listener,
        deliver,
        ended: () => tellChart({ type: 'log.ended' }),
        gap: onGap,
        report: settings.onReport,
      },
      cursor,
    );
    projection = createProjection({
      start,
      mirror,
      ask: () => commands.get(taskId, { signal: abort.signal, ...(context && { context }) }),
      isDense: () => intake.isDense,
      onPartial: (cause) => settings.onReport({ type: 'partial', taskId, cause }),
      onChange: () => {
        journal.review();
        changed();
      },
    });
    chart = createTransportActor({
      taskId,
      context,
      settings,
      credentials: host.credentialsOf(context),
      intake,
      probe: (signal) => commands.probe(taskId, { signal, ...(context && { context }) }),
    });
    chart.subscribe({ next: changed, complete: onChartEnd, error: onChartError });
    chart.start();
  }

  function deliver(fact: Fact | UnknownFact, bytes: number): void {
    lastDelivered = fact.eventId;
    answered.read(fact);
    projection?.take(fact);
    journal.append(fact, bytes);
    changed();
  }

  function tellChart(event: TransportEvent): void {
    if (chart?.getSnapshot().status === 'active') chart.send(event);
  }

  function onGap({ reason }: { readonly reason: 'trimmed' | 'reset' }): void {
    if (reason === 'reset') share.reset();
    projection?.rebase();
  }

  function onChartEnd(): void {
    const failure = chart?.getSnapshot().output;
    if (failure) end('failed', fatal(failure));
    else end('done');
  }

  function onChartError(cause: unknown): void {
    end('failed', new TaskBridgeClientError('NETWORK_ERROR', 'The observation failed unexpectedly; see the cause.', { cause }));
  }

  function end(state: Ending['state'], error?: TaskBridgeClientError): void {
    if (ending) return;
    ending = { state, ...(error && { error }) };
    chart?.stop();
    options.signal?.removeEventListener('abort', onAbort);
    if (state === 'closed') journal.abort(error ?? closed('observation'));
    else journal.finish(error);
    changed();
    // After the end of the log the consumers still have to deal with it, and the checkpoint with them.
    if (state !== 'done') free();
  }

  function free(): void {
    if (isFree) return;
    isFree = true;
    // A finished log may still be waiting for the snapshot that its projection begins with.
    if (ending?.state !== 'done') {
      abort.abort(closed('observation'));
      projection?.stop();
    }
    share.leave();
    host.onFreed(observation);
  }

  /** Moves the checkpoint to where all consumers are. */
  function settleShare(): void {
    if (isFree) return;
    const iterated = journal.dealtByIterators;
    const notified = hasSubscribers ? told : undefined;
    const slowest = iterated && notified ? (iterated.count < notified.count ? iterated : notified) : (iterated ?? notified);
    if (slowest?.eventId == null) return;
    if (ending?.state === 'done' && slowest.count === journal.end) {
      share.ended();
      free();
    } else share.moved(slowest.eventId);
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
    const now = { count: journal.end, eventId: lastDelivered };
    if (actor.getSnapshot().status !== 'active') return;
    actor.send({ type: 'observation.changed', snapshot: getSnapshot() });
    told = now;
    settleShare();
    if (ending && !notifying && (ending.state !== 'done' || projection?.isSettled)) actor.stop();
  }

  function read(): ObservationSnapshot {
    const { aggregate = emptyAggregate, result } = projection ?? {};
    return { connection: viewConnection(chart?.getSnapshot(), ending), task: viewTask(taskId, aggregate, result) };
  }

  function getSnapshot(): ObservationSnapshot {
    if (dirty) snapshot = read();
    dirty = false;
    return snapshot;
  }

  function subscribed(): void {
    hasSubscribers = true;
    journal.review();
  }

  function onAbort(): void {
    if (options.signal) end('closed', aborted(options.signal));
  }

  function close(): void {
    end('closed', closed('observation'));
    free();
  }

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
    [Symbol.asyncIterator]: () => journal.iterate(),
    close,
  };
  if (options.signal?.aborted) onAbort();
  else options.signal?.addEventListener('abort', onAbort);
  return observation;
}
