import type { SnapshotFrom } from 'xstate';
import type { Aggregate, Fact, Gap, transportMachine, TransportEvent, UnknownFact } from '../../machines/index.ts';
import type { CallContext, Credentials } from '../auth/credentials.ts';
import type { InnerCommands } from '../commands/commands.ts';
import { closed, fatal, TaskBridgeClientError } from '../errors.ts';
import type { ClientSettings } from '../options.ts';
import type { Answered } from './answered.ts';
import { createIntake } from './intake.ts';
import { createMirror } from './mirror.ts';
import { createProjection, type ProjectionStart } from './projection.ts';
import { createRecent } from './recent.ts';
import { createTransportActor } from './transport-actor.ts';

/** What is to be seen of a line at one moment. */
export interface LineView {
  readonly chart: SnapshotFrom<typeof transportMachine>;
  readonly aggregate: Aggregate;
  readonly result: unknown;
  /** False while the snapshot that the projection begins with is awaited. */
  readonly isSettled: boolean;
}

/** An observation, as the line sees it. Everybody on a line has been given the same facts. */
export interface Follower {
  /** The last fact that it was given; null for the start. */
  readonly cursor: string | null;
  /** Its consumers are too far behind to be given more. */
  readonly isFull: boolean;
  take(fact: Fact | UnknownFact, bytes: number): void;
  gap(gap: Gap): void;
  /** Something of the view has changed. */
  changed(): void;
  /** Boarded this line, or left the one that it was on: too slow for the others there. */
  placed(line: Line | undefined): void;
  ended(state: 'done' | 'failed', error?: TaskBridgeClientError): void;
}

/** Which log, from where, in whose name. */
export interface LineBeginning {
  readonly taskId: string;
  readonly context: CallContext | undefined;
  readonly cursor: string | null;
  readonly start: ProjectionStart;
  /** What the task completed with, where `start` says that it did; it is no part of an aggregate. */
  readonly result?: unknown;
}

/** What every line of a client needs. */
export interface LineHost {
  readonly settings: ClientSettings;
  readonly credentialsOf: (context: CallContext | undefined) => Credentials;
  readonly commands: InnerCommands;
  readonly answered: Answered;
}

/** Told by a line of itself. */
export interface LineListener {
  /** It delivered a fact to all on board. */
  moved(line: Line): void;
  /** Nothing comes any more. */
  over(line: Line): void;
}

/** One cursor that moves along the log of one task: a transport chart, the fold of what it brought, and whoever follows. */
export interface Line {
  readonly context: CallContext | undefined;
  readonly cursor: string | null;
  readonly isLive: boolean;
  view(): LineView;
  /** Takes a follower on board whose cursor is this line's, or not far behind; false where it is not. */
  board(follower: Follower): boolean;
  /** Closes the line where nobody is left. */
  leave(follower: Follower): void;
  /** Everybody goes on another line, which stands at the same fact. */
  moveTo(other: Line): void;
  /** Looks again at who is full. */
  review(): void;
  start(): void;
}

/** Makes a line that is not connected yet. */
// eslint-disable-next-line max-lines-per-function -- One state that all verbs share; a class costs more bytes than `npm run size` has left.
export function createLine({ taskId, context, cursor, start, result }: LineBeginning, host: LineHost, listener: LineListener): Line {
  const { settings, commands } = host;
  const followers = new Set<Follower>();
  const recent = createRecent(cursor);
  const abort = new AbortController();
  const call = { signal: abort.signal, ...(context && { context }) };
  let isPaused = false;
  let isOver = false;

  const intake = createIntake(
    { taskId, context, listener: settings.listener, deliver, ended: () => tell({ type: 'log.ended' }), gap, report: settings.onReport },
    cursor,
  );
  const projection = createProjection({
    start,
    startResult: result,
    mirror: createMirror(taskId, settings.inspect),
    ask: () => commands.get(taskId, call),
    isDense: () => intake.isDense,
    onPartial: (cause) => settings.onReport({ type: 'partial', taskId, cause }),
    onChange: () => {
      review();
      changed();
    },
  });
  const probe = (signal: AbortSignal) => commands.probe(taskId, { ...call, signal });
  const chart = createTransportActor({ taskId, context, settings, credentials: host.credentialsOf(context), intake, probe });
  chart.subscribe({
    next: changed,
    complete() {
      const failure = chart.getSnapshot().output;
      end(failure ? fatal(failure) : undefined);
    },
    error: (cause) => end(new TaskBridgeClientError('NETWORK_ERROR', 'The observation failed unexpectedly; see the cause.', { cause })),
  });

  const line: Line = {
    context,
    get cursor() {
      return intake.cursor;
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
    board(follower) {
      const missed = follower.cursor === intake.cursor ? [] : recent.after(follower.cursor);
      if (isOver || !missed) return false;
      followers.add(follower);
      follower.placed(line);
      for (const { fact, bytes } of missed) if (followers.has(follower)) follower.take(fact, bytes);
      review();
      follower.changed();
      return true;
    },
    leave(follower) {
      followers.delete(follower);
      if (followers.size === 0) close();
      else review();
    },
    moveTo(other) {
      const moving = [...followers];
      followers.clear();
      for (const follower of moving) other.board(follower);
      close();
    },
    review,
    start: () => void chart.start(),
  };
  return line;

  function tell(event: TransportEvent): void {
    if (chart.getSnapshot().status === 'active') chart.send(event);
  }

  function changed(): void {
    for (const follower of followers) follower.changed();
  }

  function deliver(fact: Fact | UnknownFact, bytes: number): void {
    host.answered.read(fact);
    projection.take(fact);
    recent.add({ fact, bytes });
    for (const follower of followers) follower.take(fact, bytes);
    review();
    changed();
    listener.moved(line);
  }

  function gap(found: Gap): void {
    recent.clear();
    // What was answered in the lost history may be asked again.
    if (found.reason === 'reset') host.answered.forget(taskId);
    for (const follower of followers) follower.gap(found);
    projection.rebase();
  }

  /** Reading stops where nobody can be given more. Whoever is too slow for the others leaves, and comes back by a line of its own. */
  function review(): void {
    if (isOver) return;
    const full = [...followers].filter(({ isFull }) => isFull);
    const mustPause = projection.waiting >= settings.limits.undeliveredMax || (full.length > 0 && full.length === followers.size);
    if (!mustPause)
      for (const follower of full) {
        followers.delete(follower);
        follower.placed(undefined);
      }
    if (mustPause === isPaused) return;
    isPaused = mustPause;
    tell({ type: mustPause ? 'consumer.full' : 'consumer.drained' });
  }

  function end(error: TaskBridgeClientError | undefined): void {
    if (isOver) return;
    isOver = true;
    listener.over(line);
    for (const follower of followers) follower.ended(error ? 'failed' : 'done', error);
  }

  function close(): void {
    abort.abort(closed('observation'));
    projection.stop();
    chart.stop();
    if (isOver) return;
    isOver = true;
    listener.over(line);
  }
}
