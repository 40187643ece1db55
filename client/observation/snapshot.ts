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

/** The task, folded from its log. */
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

/** One observation at one moment. */
export interface ObservationSnapshot {
  readonly connection: ConnectionView;
  readonly task: TaskView;
}

/** How an observation ended. */
export interface Ending {
  readonly state: 'done' | 'failed' | 'closed';
  readonly error?: TaskBridgeClientError;
}

const tags = ['paused', 'waiting', 'live'] as const;

/** How the transport chart, and the connection that it tries, are shown; there is none yet while the checkpoint is read. */
export function viewConnection(chart: SnapshotFrom<typeof transportMachine> | undefined, ending: Ending | undefined): ConnectionView {
  if (!chart) return { state: ending?.state ?? 'connecting', transport: 'ws', try: 1, continuity: 'resumed', climbing: false };
  const { transport, tries, left, continuity } = chart.context;
  const isOffline = chart.children[transport]?.getSnapshot().hasTag('offline') === true;
  return {
    state: ending?.state ?? tags.find((tag) => chart.hasTag(tag)) ?? (isOffline ? 'offline' : 'connecting'),
    transport,
    try: tries[transport] - left[transport] + 1,
    continuity,
    climbing: chart.hasTag('climbing'),
    ...(ending?.error && { error: ending.error }),
  };
}

/** How the recorded charts are shown. */
export function viewTask(taskId: string, aggregate: Aggregate, result: unknown): TaskView {
  const { task, lastEventId } = aggregate;
  return {
    taskId,
    state: stateOf(task),
    status: statusOf(task),
    terminal: isTerminal(task),
    partial: task.hasTag('partial'),
    progress: progressOf(task),
    openSuspensions: openSuspensions(aggregate),
    result,
    failure: failureOf(task),
    cancellation: cancellationOf(task),
    lastEventId,
    aggregate,
  };
}
