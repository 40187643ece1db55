import type { EventFrom, SnapshotFrom } from 'xstate';
import type { Aggregate, transportMachine } from '../../machines/index.ts';
import type { Fact, Gap, UnknownFact } from '../../machines/wire/index.ts';
import { abortWith } from '../abort.ts';
import type { CallContext, Credentials } from '../auth/credentials.ts';
import type { InnerCommands } from '../commands/commands.ts';
import { closed, fatal, TaskBridgeClientError } from '../errors.ts';
import type { ClientSettings } from '../options.ts';
import type { AnsweredQuestions } from './answered-questions.ts';
import { createFrameDecoder, type FrameDecoder } from './frame-decoder.ts';
import { createInspectorActors } from './inspector-actors.ts';
import { createProjection, type Projection, type ProjectionStart } from './projection.ts';
import { createReplayBuffer, type ReplayBuffer } from './replay-buffer.ts';
import type { PartRecord } from './part-port.ts';
import type { TransportActor, TransportCharts } from './transport-actor.ts';

/** What is to be seen of a connection at one moment. */
export interface SharedConnectionView {
  readonly chart: SnapshotFrom<typeof transportMachine>;
  readonly aggregate: Aggregate;
  readonly result: unknown;
  /** True where the aggregate is of the task, and not of nothing. */
  readonly isKnown: boolean;
  /** False while the snapshot that the projection begins with is awaited. */
  readonly isReady: boolean;
}

/** An observation, as the connection sees it. All that are attached to one connection have been given the same facts. */
export interface AttachedObservation {
  /** The last fact that it was given; null for the start. */
  readonly cursor: string | null;
  /** Its consumers are too far behind to be given more. */
  readonly isFull: boolean;
  take(fact: Fact | UnknownFact, bytes: number): void;
  gap(gap: Gap): void;
  /** Its checkpoint leads nowhere: what comes next is the log from its start. */
  restart(): void;
  /** Something of the view has changed. */
  changed(): void;
  /** It belongs to this connection now; to none where it was too slow for the others. */
  attachedTo(connection: SharedConnection | undefined): void;
  ended(state: 'done' | 'failed', error?: TaskBridgeClientError): void;
}

/** Which log, from where, in whose name. */
export interface SharedConnectionStart {
  readonly taskId: string;
  readonly context: CallContext | undefined;
  readonly cursor: string | null;
  readonly start: ProjectionStart;
  /** True where the cursor is a checkpoint's. */
  readonly isStored?: boolean;
  /** What the task completed with, where `start` says that it did; it is no part of an aggregate. */
  readonly result?: unknown;
  /** True where something of the task was known by then. */
  readonly isKnown?: boolean | undefined;
  /** Those of the task in this context; undefined where the client takes none. */
  readonly parts?: PartRecord | undefined;
}

/** What every connection of a client needs. */
export interface SharedConnectionDeps {
  readonly settings: ClientSettings;
  readonly credentialsOf: (context: CallContext | undefined) => Credentials;
  readonly commands: InnerCommands;
  readonly answered: AnsweredQuestions | undefined;
  readonly charts: TransportCharts;
}

/** Told by a connection of itself. */
export interface SharedConnectionListener {
  /** It delivered a fact to all that are attached. */
  moved(connection: SharedConnection): void;
  /** Nothing comes any more. */
  over(connection: SharedConnection): void;
}

/** One cursor that moves along the log of one task: a transport chart, the fold of what it brought, and the observations attached to it. */
export interface SharedConnection {
  readonly context: CallContext | undefined;
  readonly cursor: string | null;
  readonly isLive: boolean;
  view(): SharedConnectionView;
  /** Takes an observation whose cursor is this connection's, or not far behind it; false for any other. */
  attach(observation: AttachedObservation): boolean;
  /** Closes the connection where no observation is left. */
  detach(observation: AttachedObservation): void;
  /** All its observations go on by another connection, which stands at the same fact; this one closes. */
  mergeInto(other: SharedConnection): void;
  /**
   * Looks again at who is full. Reading stops where nobody can be given more; whoever is too slow for the others is detached, and comes back
   * by a connection of its own.
   */
  review(): void;
  start(): void;
  /** Holds what is open for dead. */
  reconnect(): void;
}

/** Makes a connection that is not connected yet. */
export function createSharedConnection(
  begin: SharedConnectionStart,
  deps: SharedConnectionDeps,
  listener: SharedConnectionListener,
): SharedConnection {
  return new LogConnection(begin, deps, listener);
}

class LogConnection implements SharedConnection {
  readonly context: CallContext | undefined;
  readonly #taskId: string;
  readonly #deps: SharedConnectionDeps;
  readonly #parts: PartRecord | undefined;
  readonly #listener: SharedConnectionListener;
  readonly #attached = new Set<AttachedObservation>();
  readonly #abort = new AbortController();
  readonly #decoder: FrameDecoder;
  readonly #replay: ReplayBuffer;
  readonly #projection: Projection;
  readonly #chart: TransportActor;
  #isPaused = false;
  #isOver = false;

  constructor(
    { taskId, context, cursor, start, isStored = false, result, isKnown = false, parts }: SharedConnectionStart,
    deps: SharedConnectionDeps,
    listener: SharedConnectionListener,
  ) {
    const { settings, commands } = deps;
    const call = { signal: this.#abort.signal, ...(context && { context }) };
    this.context = context;
    this.#taskId = taskId;
    this.#deps = deps;
    this.#parts = parts;
    this.#listener = listener;
    this.#replay = createReplayBuffer(cursor);
    this.#decoder = createFrameDecoder(
      {
        taskId,
        context,
        listener: settings.listener,
        parts,
        deliver: (fact, bytes) => this.#deliver(fact, bytes),
        ended: () => this.#tell({ type: 'log.ended' }),
        gap: (gap) => this.#gap(gap),
        quiet: () => this.#projection.quiet(),
        spoke: () => (settings.origin.hasSpoken = true),
        report: settings.onReport,
      },
      cursor,
    );
    this.#projection = createProjection({
      start,
      startResult: result,
      isStartKnown: isKnown,
      inspectors: createInspectorActors(taskId, settings.inspect),
      ask() {
        const asked = commands.get(taskId, call);
        if (parts) asked.then((task) => parts.snapshot(task)).catch(() => undefined);
        return asked;
      },
      isDense: () => this.#decoder.isDense,
      onPartial: (cause) => settings.onReport({ type: 'partial', taskId, context, cause }),
      onChange: () => {
        this.review();
        this.#changed();
      },
    });
    this.#chart = deps.charts.createActor({
      taskId,
      context,
      credentials: deps.credentialsOf(context),
      decoder: this.#decoder,
      probe: (signal) => commands.probe(taskId, { ...call, signal }),
      cursor: isStored ? 'stored' : 'trusted',
      restart: () => this.#restart(),
    });
    this.#chart.subscribe({
      next: () => this.#changed(),
      complete: () => {
        const failure = this.#chart.getSnapshot().output;
        this.#end(failure ? fatal(failure) : undefined);
      },
      error: (cause) =>
        this.#end(new TaskBridgeClientError('NETWORK_ERROR', 'The observation failed unexpectedly; see the cause.', { cause })),
    });
  }

  get cursor(): string | null {
    return this.#decoder.cursor;
  }

  get isLive(): boolean {
    return this.#chart.getSnapshot().hasTag('live');
  }

  view(): SharedConnectionView {
    const { aggregate, result, isKnown, isReady } = this.#projection;
    return { chart: this.#chart.getSnapshot(), aggregate, result, isKnown, isReady };
  }

  attach(observation: AttachedObservation): boolean {
    const missed = observation.cursor === this.cursor ? [] : this.#replay.after(observation.cursor);
    if (this.#isOver || !missed) return false;
    this.#attached.add(observation);
    observation.attachedTo(this);
    for (const { fact, bytes } of missed) if (this.#attached.has(observation)) observation.take(fact, bytes);
    this.review();
    observation.changed();
    return true;
  }

  detach(observation: AttachedObservation): void {
    this.#attached.delete(observation);
    if (this.#attached.size === 0) this.#close();
    else this.review();
  }

  mergeInto(other: SharedConnection): void {
    const moving = [...this.#attached];
    this.#attached.clear();
    for (const observation of moving) other.attach(observation);
    this.#close();
  }

  review(): void {
    if (this.#isOver) return;
    const attached = this.#attached;
    const full = [...attached].filter(({ isFull }) => isFull);
    const { undeliveredMax } = this.#deps.settings.limits;
    const mustPause = this.#projection.waiting >= undeliveredMax || (full.length > 0 && full.length === attached.size);
    if (!mustPause)
      for (const observation of full) {
        attached.delete(observation);
        observation.attachedTo(undefined);
      }
    if (mustPause === this.#isPaused) return;
    this.#isPaused = mustPause;
    this.#tell({ type: mustPause ? 'consumer.full' : 'consumer.drained' });
  }

  start(): void {
    this.#chart.start();
  }

  reconnect(): void {
    this.#deps.settings.network.distrust();
    this.#tell({ type: 'network.changed' });
  }

  #tell(event: EventFrom<typeof transportMachine>): void {
    if (this.#chart.getSnapshot().status === 'active') this.#chart.send(event);
  }

  #changed(): void {
    for (const observation of this.#attached) observation.changed();
  }

  #deliver(fact: Fact | UnknownFact, bytes: number): void {
    this.#projection.take(fact);
    this.#parts?.fact(fact);
    this.#replay.add({ fact, bytes });
    for (const observation of this.#attached) observation.take(fact, bytes);
    this.review();
    this.#changed();
    this.#listener.moved(this);
  }

  #gap(gap: Gap): void {
    this.#replay.clear();
    // What was answered in the lost history may be asked again.
    if (gap.reason === 'reset') {
      this.#deps.answered?.forget(this.#taskId);
      this.#parts?.reset();
    }
    for (const observation of this.#attached) observation.gap(gap);
    this.#projection.rebase();
    this.#tell({ type: 'log.gap', reason: gap.reason });
  }

  #restart(): void {
    this.#replay.restart();
    this.#decoder.restart();
    this.#parts?.reset();
    for (const observation of this.#attached) observation.restart();
    this.#projection.restart();
    this.#changed();
  }

  #end(error: TaskBridgeClientError | undefined): void {
    if (!this.#beOver()) return;
    if (!error || error.code === 'TASK_NOT_FOUND') this.#deps.answered?.ended(this.#taskId);
    if (!error) this.#parts?.ended();
    for (const observation of this.#attached) observation.ended(error ? 'failed' : 'done', error);
  }

  #close(): void {
    // Before the chart is stopped, which completes it: nothing has ended but the watching.
    this.#beOver();
    abortWith(this.#abort, closed('observation'));
    this.#projection.stop();
    this.#chart.stop();
  }

  /** False where it was over before. */
  #beOver(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.#listener.over(this);
    return true;
  }
}
