import { initialTransition, type SnapshotFrom } from 'xstate';
import { NewerVersionError, stepOf } from '../../machines/index.ts';
import { attemptMachine, type AttemptContext, type AttemptEvent } from './attempt.machine.ts';

/** The attempt's chart at one moment. */
export type AttemptSnapshot = SnapshotFrom<typeof attemptMachine>;

/** What only the server knows of a task: who works on it, and which reports were taken. Never changed in place. */
export interface ExecutionRecord {
  readonly attempt: AttemptSnapshot;
  /** The last number that was taken from each source of the newest attempt. */
  readonly sources: Readonly<Record<string, number>>;
  /** The first fact that the log still keeps. */
  readonly firstRetained: number;
  /** Where in the log each open question was asked: its `n`. Keeps retention from trimming a question away. */
  readonly asked: Readonly<Record<string, number>>;
  /** When the task ended, in milliseconds of the store's clock. */
  readonly endedAt: number | null;
}

/** Most sources that one attempt may report from; a further one forgets the oldest. */
export const SOURCES_MAX = 64;
const EXECUTION_RECORD_VERSION = 1;
const step = stepOf(attemptMachine);

/** The execution record of a task that was just created. */
export const emptyExecutionRecord: ExecutionRecord = {
  attempt: initialTransition(attemptMachine)[0],
  sources: {},
  asked: {},
  firstRetained: 1,
  endedAt: null,
};

/** Enters one event, or gives undefined where the chart does not take it in its state. */
export function recordAttemptEvent(record: ExecutionRecord, event: AttemptEvent): ExecutionRecord | undefined {
  if (!record.attempt.can(event)) return undefined;
  const attempt = step(record.attempt, event)[0];
  const sources = event.type === 'attempt.claimed' ? {} : record.sources;
  return { ...record, attempt, sources };
}

/** Notes that a report of that number was taken. */
export function noteReport(record: ExecutionRecord, source: string, seq: number): ExecutionRecord {
  const { [source]: _, ...others } = record.sources;
  const isFull = Object.keys(others).length >= SOURCES_MAX;
  const newest = isFull ? Object.fromEntries(Object.entries(others).slice(1 - SOURCES_MAX)) : others;
  return { ...record, sources: { ...newest, [source]: seq } };
}

/** The innermost states of the attempt's chart. */
export type AttemptState = 'pending' | 'starting' | 'held' | 'stopping' | 'notified' | 'lost' | 'ended' | 'released';

/** The innermost state of the attempt's chart. */
export function attemptState({ attempt }: ExecutionRecord): AttemptState {
  return typeof attempt.value === 'string' ? attempt.value : attempt.value.unfinished;
}

/** The attempt's chart as the store has it, under the names of version 1. */
interface StoredAttempt {
  readonly value: unknown;
  readonly context: Omit<AttemptContext, 'pendingDeliveries'> & { readonly owed: readonly string[] };
}

interface StoredExecutionRecord extends StoredAttempt {
  readonly v: number;
  readonly asked: Record<string, number>;
  readonly firstRetained: number;
  readonly endedAt: number | null;
}

/** The record as JSON texts, under the names that the store has them by. What every report changes is one of its own, and small. */
export interface ExecutionRecordTexts {
  readonly ledger: string;
  readonly sources: string;
}

/** The texts that differ from those of an older record; all of them where there is none. */
export function serializeExecutionRecord(
  { attempt, sources, ...rest }: ExecutionRecord,
  before?: ExecutionRecord,
): Partial<ExecutionRecordTexts> {
  const { asked, firstRetained, endedAt } = rest;
  const isSame =
    attempt === before?.attempt && asked === before.asked && firstRetained === before.firstRetained && endedAt === before.endedAt;
  return {
    ...(!isSame && { ledger: textOf({ v: EXECUTION_RECORD_VERSION, ...storedAttempt(attempt), ...rest }) }),
    ...(sources !== before?.sources && { sources: JSON.stringify(sources) }),
  };
}

/** Reads {@link serializeExecutionRecord}'s texts; throws `NewerVersionError` for those of a later version. */
export function parseExecutionRecord({ ledger, sources }: ExecutionRecordTexts): ExecutionRecord {
  // Our own text: only this module writes it.
  const { v, value, context, ...rest } = JSON.parse(ledger) as StoredExecutionRecord;
  if (v > EXECUTION_RECORD_VERSION) throw new NewerVersionError(v, EXECUTION_RECORD_VERSION);
  return { attempt: restoredAttempt({ value, context }), sources: JSON.parse(sources) as ExecutionRecord['sources'], ...rest };
}

function textOf(stored: StoredExecutionRecord): string {
  return JSON.stringify(stored);
}

function storedAttempt({ value, context: { pendingDeliveries, ...context } }: AttemptSnapshot): StoredAttempt {
  const isNotified = typeof value === 'object' && value.unfinished === 'notified';
  return { value: isNotified ? { unfinished: 'told' } : value, context: { ...context, owed: pendingDeliveries } };
}

function restoredAttempt({ value, context: { owed, ...context } }: StoredAttempt): AttemptSnapshot {
  const isNotified = (value as { readonly unfinished?: unknown }).unfinished === 'told';
  // `resolveState` throws for a state that the chart does not have.
  const known = (isNotified ? { unfinished: 'notified' } : value) as AttemptSnapshot['value'];
  return attemptMachine.resolveState({ value: known, context: { ...context, pendingDeliveries: owed } });
}
