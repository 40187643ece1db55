import type { EventId } from '../wire/event-id.ts';
import { suspensionMachine, type SuspensionContext } from '../suspension/suspension.machine.ts';
import { outputOf, taskMachine, type TaskContext } from '../task/task.machine.ts';
import type { Aggregate, SuspensionSnapshot, TaskSnapshot } from './aggregate.ts';
import { stateOf, statusOf, type TaskState } from '../selectors.ts';

/** The newest version of the stored form. Raise it, and upcast the older one, whenever a chart's states or context change. */
export const STORED_VERSION = 2;
/** What has no parts is written as it was before there were any: nodes of older versions read it, and refuse only the tasks that have some. */
const VERSION_WITHOUT_PARTS = 1;

type PartContext = Pick<TaskContext, 'openParts' | 'partCount'>;

/** The task chart as plain JSON. */
export interface StoredTask {
  readonly v: number;
  readonly state: TaskState;
  /** Without `openParts` and `partCount` in version 1. */
  readonly context: Omit<TaskContext, keyof PartContext> & Partial<PartContext>;
  readonly lastEventId: EventId | null;
}
/** A suspension's chart as plain JSON. */
export interface StoredSuspension {
  readonly v: number;
  readonly state: string;
  readonly context: SuspensionContext;
}
/** An aggregate as plain JSON; equal aggregates have equal stored forms. */
export interface StoredAggregate {
  readonly task: StoredTask;
  readonly suspensions: { readonly [suspendId: string]: StoredSuspension };
}

/** State was written by a newer version of this library; whoever reads it here may neither change it nor guess. */
export class NewerVersionError extends Error {
  override readonly name = 'NewerVersionError';
  constructor(found: number, known = STORED_VERSION) {
    super(`Stored state has version ${found}, this library knows versions up to ${known}. Update this node to write to the task.`);
  }
}

/** The task's half of the stored form. */
export function storeTask(aggregate: Aggregate): StoredTask {
  const { task, lastEventId } = aggregate;
  const state = stateOf(task);
  if (task.context.partCount > 0) return { v: STORED_VERSION, state, context: task.context, lastEventId };
  // Named one by one: to leave two out of all costs as much as the step that came here.
  const { progress, openSuspensionIds, suspensionCount, cancelReason, resultEventId, failure, cancellation } = task.context;
  const context = { progress, openSuspensionIds, suspensionCount, cancelReason, resultEventId, failure, cancellation };
  return { v: VERSION_WITHOUT_PARTS, state, context, lastEventId };
}

/** One suspension's part of the stored form. */
export function storeSuspension(snapshot: SuspensionSnapshot): StoredSuspension {
  return { v: VERSION_WITHOUT_PARTS, state: snapshot.value, context: snapshot.context };
}

/** The whole of an aggregate as plain JSON. */
export function storeAggregate(aggregate: Aggregate): StoredAggregate {
  const suspensions = Object.fromEntries([...aggregate.suspensions].map(([id, snapshot]) => [id, storeSuspension(snapshot)]));
  return { task: storeTask(aggregate), suspensions };
}

/**
 * Reads the stored form back.
 *
 * @throws {@link NewerVersionError} for a version above ours; an `Error` from XState for a state that its chart does not have.
 */
export function restoreAggregate(stored: StoredAggregate): Aggregate {
  const suspensions = Object.entries(stored.suspensions).map(([id, suspension]) => [id, restoreSuspension(suspension)] as const);
  return { task: restoreTask(stored.task), suspensions: new Map(suspensions), lastEventId: stored.task.lastEventId };
}

/** Reads the task's half back; throws like {@link restoreAggregate}. */
export function restoreTask({ v, state, context: stored }: StoredTask): TaskSnapshot {
  refuseNewer(v);
  const context: TaskContext = { ...stored, openParts: stored.openParts ?? [], partCount: stored.partCount ?? 0 };
  const value = valueOf(state);
  // XState works it out at the step that ends a chart, and this one may have ended before.
  const output = typeof value === 'string' ? outputOf({ context, event: { output: statusOf({ value }) } }) : undefined;
  return taskMachine.resolveState({ value, context, ...(output && { output }) });
}

function restoreSuspension({ v, state, context }: StoredSuspension): SuspensionSnapshot {
  refuseNewer(v);
  return suspensionMachine.resolveState({ value: state as SuspensionSnapshot['value'], context });
}

function refuseNewer(v: number): void {
  if (v > STORED_VERSION) throw new NewerVersionError(v);
}

function valueOf(state: TaskState): TaskSnapshot['value'] {
  return state === 'completed' || state === 'failed' || state === 'cancelled' ? state : { active: state };
}
