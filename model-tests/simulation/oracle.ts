import { isDeepStrictEqual } from 'node:util';
import type { TaskRow } from '../../adapters/memory/memory.ts';
import {
  cancellationOf,
  emptyAggregate,
  failureOf,
  fold,
  openSuspensions,
  progressOf,
  stateOf,
  storeSuspension,
  storeTask,
  type Aggregate,
} from '../../machines/index.ts';
import { parseEventId, type Fact } from '../../machines/wire/index.ts';
import type { TaskView } from '../../client/index.ts';
import type { Commit, NewTask } from '../../server/ports/index.ts';
import { OpenParts } from '../law/open-parts.ts';
import { LaneCheck } from './lane-check.ts';
import { WorkCheck } from './work-check.ts';
import type { World } from './world.ts';

/** One history of a task, and the fold of its first 0, 1, 2 … facts. */
export interface LogHistory {
  readonly facts: readonly Fact[];
  readonly folds: readonly Aggregate[];
}

/** All that is known of one task from what was really written. */
export interface KnownTask {
  readonly taskId: string;
  readonly facts: Fact[];
  /** The fold of the first 0, 1, 2 … facts. */
  readonly folds: Aggregate[];
  readonly open: Set<string>;
  readonly parts: OpenParts;
  /** From suspension to the id of the action that was accepted. */
  readonly accepted: Map<string, string>;
  readonly expired: Set<string>;
  /** Every message of the log. */
  readonly messages: Set<string>;
  /** The histories that the store has lost since, each whole. */
  readonly lost: LogHistory[];
  /** The same as `accepted` and `messages`, of all histories. */
  readonly everAccepted: Set<string>;
  readonly everSaid: Set<string>;
  firstRetained: number;
  terminal: Fact | undefined;
}

/** A question that was asked. */
export interface AskedQuestion {
  readonly taskId: string;
  readonly suspendId: string;
  readonly allowedActions: readonly string[];
}

/** As planned, or said so in the README: no trouble of a store, a network or a node is a reason. */
const soundFailures: readonly string[] = ['ON_PURPOSE', 'WORK_LOST', 'EXECUTOR_UNREACHABLE'];

/** Stands beside the store, sees every write that really happened, and knows by a fold of its own what is true. */
export class Oracle {
  readonly tasks = new Map<string, KnownTask>();
  onAsked: (asked: AskedQuestion) => void = () => undefined;
  onCommitted: (known: KnownTask, row: TaskRow) => void = () => undefined;
  readonly work: WorkCheck;
  readonly lanes: LaneCheck;
  readonly #world: World;
  readonly #views = new WeakMap<Aggregate, string>();
  readonly #requests = new Map<string, string>();

  constructor(world: World, exclusive = false, runsAgainWithinMs?: number) {
    this.#world = world;
    this.work = new WorkCheck(world, exclusive, runsAgainWithinMs);
    this.lanes = new LaneCheck(world);
  }

  of(taskId: string): KnownTask {
    const known = this.tasks.get(taskId);
    if (known) return known;
    throw new Error(`Nobody created task ${taskId}.`);
  }

  created(created: NewTask, by: string): void {
    const { taskId, requestKey } = created;
    this.work.created(created, by);
    this.#world.tell(by, `creates ${taskId.slice(0, 4)}`);
    if (this.#requests.has(requestKey)) this.#world.fault('one task a request', `${taskId} repeats ${this.#requests.get(requestKey)}`);
    this.#requests.set(requestKey, taskId);
    this.tasks.set(taskId, {
      taskId,
      facts: [],
      folds: [emptyAggregate],
      open: new Set(),
      parts: new OpenParts(),
      accepted: new Map(),
      expired: new Set(),
      messages: new Set(),
      lost: [],
      everAccepted: new Set(),
      everSaid: new Set(),
      firstRetained: 1,
      terminal: undefined,
    });
  }

  /** A commit was written: looks at each of its facts, then compares what the server stored with the fold. */
  committed(commit: Commit, row: TaskRow, by: string): void {
    const task = this.of(commit.taskId);
    for (const { bytes } of commit.facts) this.#learn(task, JSON.parse(Buffer.from(bytes).toString('utf8')) as Fact);
    task.firstRetained = row.firstRetained;
    this.#world.tell(
      by,
      `commits ${commit.taskId.slice(0, 4)} r${row.revision} ${task.facts
        .slice(task.facts.length - commit.facts.length)
        .map(({ type, eventId }) => `${parseEventId(eventId)?.n} ${type.slice(5)}`)
        .join(', ')}`,
    );
    if (row.ended !== (task.terminal !== undefined))
      this.#world.fault('the log ends with its last fact', `${commit.taskId} ended=${row.ended} with ${task.terminal?.type}`);
    this.#compareStored(task, row);
    for (const suspendId of task.accepted.keys())
      if (!row.sideValues.has(`a:${suspendId}`)) this.#world.fault('answers are kept', `no answer of ${suspendId}`);
    this.lanes.committed(commit, row, task.facts.slice(task.facts.length - commit.facts.length), task.lost.length > 0);
    this.onCommitted(task, row);
  }

  /** The store has lost all of a log but its first `n` facts. */
  restored(taskId: string, n: number, firstRetained: number): void {
    const task = this.of(taskId);
    this.work.restored(taskId);
    task.lost.push({ facts: [...task.facts], folds: [...task.folds] });
    task.facts.length = n;
    task.folds.length = n + 1;
    task.firstRetained = firstRetained;
    task.terminal = undefined;
    for (const known of [task.open, task.parts, task.accepted, task.expired, task.messages]) known.clear();
    for (const fact of task.facts) {
      count(task, fact);
      task.parts.take(fact);
    }
  }

  /** What a client that has folded the facts up to this one must show. */
  view(taskId: string, eventId: string): string {
    const n = parseEventId(eventId)?.n ?? 0;
    const { facts, folds } = historiesOf(this.of(taskId)).find((log) => log.facts[n - 1]?.eventId === eventId) ?? this.of(taskId);
    const aggregate = folds[n];
    if (!aggregate) return `no fact ${n}`;
    const known = this.#views.get(aggregate);
    if (known !== undefined) return known;
    const last = facts[n - 1];
    const { task } = aggregate;
    const view = viewText({
      state: stateOf(task),
      progress: progressOf(task),
      openSuspensions: openSuspensions(aggregate),
      failure: failureOf(task),
      cancellation: cancellationOf(task),
      lastEventId: aggregate.lastEventId,
      result: last?.type === 'TASK_COMPLETED' ? last.payload.result : undefined,
    });
    this.#views.set(aggregate, view);
    return view;
  }

  #learn(task: KnownTask, fact: Fact): void {
    const { taskId, facts } = task;
    const world = this.#world;
    const n = parseEventId(fact.eventId)?.n;
    if (n !== facts.length + 1) world.fault('ids without holes', `${fact.eventId} follows fact ${facts.length} of ${taskId}`);
    if (task.terminal) world.fault('nothing follows the end', `${fact.type} follows ${task.terminal.type} of ${taskId}`);
    if (fact.taskId !== taskId) world.fault('a fact is in its own log', `${fact.eventId} of ${fact.taskId} in the log of ${taskId}`);
    facts.push(fact);
    task.folds.push(fold(task.folds.at(-1) ?? emptyAggregate, fact));
    this.#judge(task, fact);
    count(task, fact);
    if (fact.type !== 'TASK_SUSPENDED') return;
    this.onAsked({ taskId, suspendId: fact.payload.suspendId, allowedActions: fact.payload.allowedActions });
  }

  /** Whether a fact may follow those before it. */
  #judge(task: KnownTask, fact: Fact): void {
    const { taskId, facts } = task;
    const world = this.#world;
    const broken = task.parts.take(fact);
    if (broken !== undefined) world.fault(broken, `${fact.type} ${fact.eventId} of ${taskId}`);
    switch (fact.type) {
      case 'TASK_PART_OPENED':
      case 'TASK_PART_CLOSED':
        return;
      case 'TASK_SUSPENDED':
        if (task.open.has(fact.payload.suspendId) || task.accepted.has(fact.payload.suspendId))
          world.fault('a question is asked once', fact.payload.suspendId);
        return;
      case 'TASK_ACTION_ACCEPTED':
        if (!task.open.has(fact.payload.suspendId)) world.fault('only open questions are answered', fact.payload.suspendId);
        return;
      case 'TASK_SUSPENSION_CLOSED':
        if (!task.open.has(fact.payload.suspendId)) world.fault('only open questions are closed', fact.payload.suspendId);
        return;
      case 'TASK_STARTED':
      case 'TASK_CANCEL_REQUESTED':
        if (facts.filter(({ type }) => type === fact.type).length > 1) world.fault('said once', `${fact.type} twice in ${taskId}`);
        return;
      case 'TASK_MESSAGE':
        // The text of a part that is said as messages may repeat itself.
        if (/^(kept|loose) /.test(fact.payload.message) && task.messages.has(fact.payload.message))
          world.fault('reports are taken once', `${fact.payload.message} twice in ${taskId}`);
        return;
      case 'TASK_PROGRESS':
        return;
      case 'TASK_COMPLETED':
      case 'TASK_FAILED':
      case 'TASK_CANCELLED':
        if (task.open.size > 0) world.fault('questions are closed before the end', [...task.open].join());
        if (fact.type === 'TASK_FAILED' && !soundFailures.includes(fact.payload.code))
          world.fault('trouble fails no task', `${taskId} failed with ${fact.payload.code}: ${fact.payload.message}`);
        // Whoever lost what was written knows nothing of what began.
        if (fact.type === 'TASK_FAILED' && fact.payload.code === 'WORK_LOST' && task.lost.length === 0 && !this.lanes.hasLost(taskId))
          this.work.lost(taskId);
        return;
      default:
        fact satisfies never;
    }
  }

  #compareStored({ taskId, folds }: KnownTask, { fields }: TaskRow): void {
    const truth = folds.at(-1) ?? emptyAggregate;
    const stored = fields.get('task');
    const folded = JSON.stringify(storeTask(truth));
    if (stored !== folded && !isDeepStrictEqual(JSON.parse(stored ?? 'null'), JSON.parse(folded)))
      this.#world.fault('server = fold(log)', `${taskId} is stored as ${stored}, its log says ${folded}`);
    for (const [suspendId, snapshot] of truth.suspensions) {
      const kept = fields.get(`s:${suspendId}`);
      const one = JSON.stringify(storeSuspension(snapshot));
      if (kept !== one && !isDeepStrictEqual(JSON.parse(kept ?? 'null'), JSON.parse(one)))
        this.#world.fault('server = fold(log)', `${suspendId} is stored as ${kept}, its log says ${one}`);
    }
  }
}

/** The history of now, and those that were lost. */
export function historiesOf(task: KnownTask): readonly LogHistory[] {
  return task.lost.length === 0 ? [task] : [task, ...task.lost];
}

/** Takes a fact into account. */
function count(task: KnownTask, fact: Fact): void {
  switch (fact.type) {
    case 'TASK_SUSPENDED':
      return void task.open.add(fact.payload.suspendId);
    case 'TASK_ACTION_ACCEPTED':
      task.open.delete(fact.payload.suspendId);
      task.accepted.set(fact.payload.suspendId, fact.payload.clientActionId);
      return void task.everAccepted.add(fact.payload.clientActionId);
    case 'TASK_SUSPENSION_CLOSED':
      task.open.delete(fact.payload.suspendId);
      if (fact.payload.outcome === 'EXPIRED') task.expired.add(fact.payload.suspendId);
      return;
    case 'TASK_MESSAGE':
      task.messages.add(fact.payload.message);
      return void task.everSaid.add(fact.payload.message);
    case 'TASK_STARTED':
    case 'TASK_PROGRESS':
    case 'TASK_PART_OPENED':
    case 'TASK_PART_CLOSED':
    case 'TASK_CANCEL_REQUESTED':
      return;
    case 'TASK_COMPLETED':
    case 'TASK_FAILED':
    case 'TASK_CANCELLED':
      task.terminal = fact;
      return;
    default:
      fact satisfies never;
  }
}

/** What a person sees of a task, as text that can be compared. */
export function viewText({
  state,
  progress,
  openSuspensions: open,
  failure,
  cancellation,
  lastEventId,
  result,
}: Pick<TaskView, 'state' | 'progress' | 'openSuspensions' | 'failure' | 'cancellation' | 'lastEventId' | 'result'>): string {
  return JSON.stringify([state, progress, open, failure, cancellation, lastEventId, result ?? null]);
}
