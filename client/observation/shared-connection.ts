import type { SnapshotFrom } from 'xstate';
import type { Aggregate, transportMachine, TransportEvent } from '../../machines/index.ts';
import type { Fact, Gap, UnknownFact } from '../../machines/wire/index.ts';
import type { CallContext, Credentials } from '../auth/credentials.ts';
import type { InnerCommands } from '../commands/commands.ts';
import { closed, fatal, TaskBridgeClientError } from '../errors.ts';
import type { ClientSettings } from '../options.ts';
import type { Answered } from './answered-questions.ts';
import { createFrameDecoder } from './frame-decoder.ts';
import { createInspectorActors } from './inspector-actors.ts';
import { createProjection, type ProjectionStart } from './projection.ts';
import { createReplayBuffer } from './replay-buffer.ts';
import { createTransportActor } from './transport-actor.ts';

/** What is to be seen of a connection at one moment. */
export interface SharedConnectionView {
  readonly chart: SnapshotFrom<typeof transportMachine>;
  readonly aggregate: Aggregate;
  readonly result: unknown;
  /** False while the snapshot that the projection begins with is awaited. */
  readonly isSettled: boolean;
}

/** An observation, as the connection sees it. Everybody on a connection has been given the same facts. */
export interface AttachedObservation {
  /** The last fact that it was given; null for the start. */
  readonly cursor: string | null;
  /** Its consumers are too far behind to be given more. */
  readonly isFull: boolean;
  take(fact: Fact | UnknownFact, bytes: number): void;
  gap(gap: Gap): void;
  /** Something of the view has changed. */
  changed(): void;
  /** Boarded this connection, or left the one that it was on: too slow for the others there. */
  placed(connection: SharedConnection | undefined): void;
  ended(state: 'done' | 'failed', error?: TaskBridgeClientError): void;
}

/** Which log, from where, in whose name. */
export interface SharedConnectionStart {
  readonly taskId: string;
  readonly context: CallContext | undefined;
  readonly cursor: string | null;
  readonly start: ProjectionStart;
  /** What the task completed with, where `start` says that it did; it is no part of an aggregate. */
  readonly result?: unknown;
}

/** What every connection of a client needs. */
export interface SharedConnectionDeps {
  readonly settings: ClientSettings;
  readonly credentialsOf: (context: CallContext | undefined) => Credentials;
  readonly commands: InnerCommands;
  readonly answered: Answered;
}

/** Told by a connection of itself. */
export interface SharedConnectionListener {
  /** It delivered a fact to all on attach. */
  moved(connection: SharedConnection): void;
  /** Nothing comes any more. */
  over(connection: SharedConnection): void;
}

/** One cursor that moves along the log of one task: a transport chart, the fold of what it brought, and whoever follows. */
export interface SharedConnection {
  readonly context: CallContext | undefined;
  readonly cursor: string | null;
  readonly isLive: boolean;
  view(): SharedConnectionView;
  /** Takes a member on attach whose cursor is this connection's, or not far behind; false where it is not. */
  attach(member: AttachedObservation): boolean;
  /** Closes the connection where nobody is left. */
  leave(member: AttachedObservation): void;
  /** Everybody goes on another connection, which stands at the same fact. */
  moveTo(other: SharedConnection): void;
  /** Looks again at who is full. */
  review(): void;
  start(): void;
}

/** Makes a connection that is not connected yet. */
// eslint-disable-next-line max-lines-per-function -- One state that all verbs share; a class costs more bytes than `npm run size` has left.
export function createSharedConnection(
  { taskId, context, cursor, start, result }: SharedConnectionStart,
  host: SharedConnectionDeps,
  listener: SharedConnectionListener,
): SharedConnection {
  const { settings, commands } = host;
  const members = new Set<AttachedObservation>();
  const replay = createReplayBuffer(cursor);
  const abort = new AbortController();
  const call = { signal: abort.signal, ...(context && { context }) };
  let isPaused = false;
  let isOver = false;

  const decoder = createFrameDecoder(
    { taskId, context, listener: settings.listener, deliver, ended: () => tell({ type: 'log.ended' }), gap, report: settings.onReport },
    cursor,
  );
  const projection = createProjection({
    start,
    startResult: result,
    inspectors: createInspectorActors(taskId, settings.inspect),
    ask: () => commands.get(taskId, call),
    isDense: () => decoder.isDense,
    onPartial: (cause) => settings.onReport({ type: 'partial', taskId, cause }),
    onChange: () => {
      review();
      changed();
    },
  });
  const probe = (signal: AbortSignal) => commands.probe(taskId, { ...call, signal });
  const chart = createTransportActor({ taskId, context, settings, credentials: host.credentialsOf(context), decoder, probe });
  chart.subscribe({
    next: changed,
    complete() {
      const failure = chart.getSnapshot().output;
      end(failure ? fatal(failure) : undefined);
    },
    error: (cause) => end(new TaskBridgeClientError('NETWORK_ERROR', 'The observation failed unexpectedly; see the cause.', { cause })),
  });

  const connection: SharedConnection = {
    context,
    get cursor() {
      return decoder.cursor;
    },
    get isLive() {
      return chart.getSnapshot().hasTag('live');
    },
    view: () => ({
      chart: chart.getSnapshot(),
      aggregate: projection.aggregate,
      result: projection.result,
      isSettled: projection.isSettled,
    }),
    attach(member) {
      const missed = member.cursor === decoder.cursor ? [] : replay.after(member.cursor);
      if (isOver || !missed) return false;
      members.add(member);
      member.placed(connection);
      for (const { fact, bytes } of missed) if (members.has(member)) member.take(fact, bytes);
      review();
      member.changed();
      return true;
    },
    leave(member) {
      members.delete(member);
      if (members.size === 0) close();
      else review();
    },
    moveTo(other) {
      const moving = [...members];
      members.clear();
      for (const member of moving) other.attach(member);
      close();
    },
    review,
    start: () => void chart.start(),
  };
  return connection;

  function tell(event: TransportEvent): void {
    if (chart.getSnapshot().status === 'active') chart.send(event);
  }

  function changed(): void {
    for (const member of members) member.changed();
  }

  function deliver(fact: Fact | UnknownFact, bytes: number): void {
    host.answered.read(fact);
    projection.take(fact);
    replay.add({ fact, bytes });
    for (const member of members) member.take(fact, bytes);
    review();
    changed();
    listener.moved(connection);
  }

  function gap(found: Gap): void {
    replay.clear();
    // What was answered in the lost history may be asked again.
    if (found.reason === 'reset') host.answered.forget(taskId);
    for (const member of members) member.gap(found);
    projection.rebase();
  }

  /** Reading stops where nobody can be given more. Whoever is too slow for the others leaves, and comes back by a connection of its own. */
  function review(): void {
    if (isOver) return;
    const full = [...members].filter(({ isFull }) => isFull);
    const mustPause = projection.waiting >= settings.limits.undeliveredMax || (full.length > 0 && full.length === members.size);
    if (!mustPause)
      for (const member of full) {
        members.delete(member);
        member.placed(undefined);
      }
    if (mustPause === isPaused) return;
    isPaused = mustPause;
    tell({ type: mustPause ? 'consumer.full' : 'consumer.drained' });
  }

  function end(error: TaskBridgeClientError | undefined): void {
    if (isOver) return;
    isOver = true;
    listener.over(connection);
    for (const member of members) member.ended(error ? 'failed' : 'done', error);
  }

  function close(): void {
    abort.abort(closed('observation'));
    projection.stop();
    chart.stop();
    if (isOver) return;
    isOver = true;
    listener.over(connection);
  }
}
