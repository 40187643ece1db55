import type { SnapshotFrom } from 'xstate';
import {
  cancellationOf,
  failureOf,
  isTerminal,
  openSuspensions,
  progressOf,
  stateOf,
  statusOf,
  type Aggregate,
  type Continuity,
  type TaskState,
  type transportMachine,
} from '../../machines/index.ts';
import type { TransportName, FactPayload, TaskStatus } from '../../machines/wire/index.ts';
import type { TaskBridgeClientError } from '../errors.ts';
import { isSame, keepSame } from './same.ts';

/** What the connection does. `paused`: consumers are too far behind. `offline`: the gate is closed. `closed`: by its owner. */
export type ConnectionState = 'connecting' | 'live' | 'waiting' | 'offline' | 'paused' | 'done' | 'failed' | 'closed';

/** How an observation is connected. */
export interface ConnectionView {
  readonly state: ConnectionState;
  /** The transport in use, or the one tried last. */
  readonly transport: TransportName;
  /** Which try in a row on it: 1, 2, 3 … */
  readonly try: number;
  readonly continuity: Continuity;
  /** A higher transport is being tried beside this one. */
  readonly climbing: boolean;
  /** Why there is no use in trying again. */
  readonly error?: TaskBridgeClientError;
}

/** The task, folded from its log. Each part is the same object until it says something else. */
export interface TaskView {
  readonly taskId: string;
  readonly state: TaskState;
  readonly status: TaskStatus;
  /** True once it has ended. */
  readonly terminal: boolean;
  /** True where this client joined in the middle and cannot say more yet. */
  readonly partial: boolean;
  readonly progress: FactPayload<'TASK_PROGRESS'> | null;
  /** The questions that wait for an answer, oldest first. */
  readonly openSuspensions: readonly FactPayload<'TASK_SUSPENDED'>[];
  /** What it completed with; undefined before, and where it ended otherwise. */
  readonly result: unknown;
  readonly failure: FactPayload<'TASK_FAILED'> | null;
  readonly cancellation: FactPayload<'TASK_CANCELLED'> | null;
  /** The last fact that was folded. */
  readonly lastEventId: string | null;
  /** The charts themselves. */
  readonly aggregate: Aggregate;
}

/**
 * Whether there is a task to show. `pending`: nothing came yet, and `task` is of nothing. `known`: `task` is what its log says, or as much of
 * it as this client has. `missing`: the server has no such task for this caller. `error`: the observation failed before anything came; see
 * `connection.error`.
 */
export type Known = 'pending' | 'known' | 'missing' | 'error';

/** One observation at one moment. */
export interface ObservationSnapshot {
  readonly connection: ConnectionView;
  readonly task: TaskView;
  readonly known: Known;
}

/** How an observation ended. */
export interface Ending {
  readonly state: 'done' | 'failed' | 'closed';
  readonly error?: TaskBridgeClientError;
}

const tags = ['paused', 'waiting', 'live'] as const;

/** How the transport chart, and the connection that it tries, are shown; there is none yet while the checkpoint is read. */
export function viewConnection(chart: SnapshotFrom<typeof transportMachine> | undefined, ending: Ending | undefined): ConnectionView {
  const failure = ending?.error && { error: ending.error };
  if (!chart) return { state: ending?.state ?? 'connecting', transport: 'ws', try: 1, continuity: 'resumed', climbing: false, ...failure };
  const { transport, tries, left, continuity } = chart.context;
  const isOffline = chart.children[transport]?.getSnapshot().hasTag('offline') === true;
  return {
    state: ending?.state ?? tags.find((tag) => chart.hasTag(tag)) ?? (isOffline ? 'offline' : 'connecting'),
    transport,
    try: tries[transport] - left[transport] + 1,
    continuity,
    climbing: chart.hasTag('climbing'),
    ...failure,
  };
}

/** Whether what is shown is of the task. */
export function viewKnown(isKnown: boolean, ending: Ending | undefined): Known {
  if (ending?.error?.code === 'TASK_NOT_FOUND') return 'missing';
  if (isKnown) return 'known';
  return ending?.state === 'failed' ? 'error' : 'pending';
}

/** How the recorded charts are shown: what says the same as `before` is the same object. */
export function viewTask(taskId: string, aggregate: Aggregate, result: unknown, before?: TaskView): TaskView {
  const { task, lastEventId } = aggregate;
  const same = <K extends keyof TaskView>(name: K, now: TaskView[K]): TaskView[K] =>
    before && isSame(before[name], now) ? before[name] : now;
  const open = openSuspensions(aggregate).map((question) => before?.openSuspensions.find((known) => isSame(known, question)) ?? question);
  return keepSame(before, {
    taskId,
    state: stateOf(task),
    status: statusOf(task),
    terminal: isTerminal(task),
    partial: task.hasTag('partial'),
    progress: same('progress', progressOf(task)),
    openSuspensions: same('openSuspensions', open),
    result: same('result', result),
    failure: same('failure', failureOf(task)),
    cancellation: same('cancellation', cancellationOf(task)),
    lastEventId,
    aggregate,
  });
}
