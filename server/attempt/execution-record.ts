import { initialTransition, type SnapshotFrom } from 'xstate';
import { NewerVersionError } from '../../machines/index.ts';
import { tableStepOf } from '../../machines/tables/index.ts';
import { attemptMachine, type AttemptContext, type AttemptEvent } from './attempt.machine.ts';
import { noLanes, parseLanes, serializeLanes, type TaskLanes } from '../parts/lane-record.ts';
import type { WorkDue, WorkOrder } from './work-events.ts';
import { attemptFromV1, attemptToV1, type AttemptV1 } from './dated-record.ts';

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
  /** What is stored for the task. */
  readonly bytes: StoredBytes;
  /** Where the bytes of its parts are. */
  readonly lanes: TaskLanes;
}

/** Bytes that are stored for one task; those that a node of 0.1.0 wrote are not among them. */
export interface StoredBytes {
  /** What the work saved last. */
  readonly saved: number;
  /** What it was created with and its files, answers, questions, its result. */
  readonly others: number;
}

/** Most sources that one attempt may report from; a further one forgets the oldest. */
export const SOURCES_MAX = 64;
const EXECUTION_RECORD_VERSION = 2;
const step = tableStepOf(attemptMachine);

/** The execution record of a task that was just created. */
export const emptyExecutionRecord: ExecutionRecord = {
  attempt: initialTransition(attemptMachine)[0],
  sources: {},
  asked: {},
  firstRetained: 1,
  endedAt: null,
  bytes: { saved: 0, others: 0 },
  lanes: noLanes,
};

/** Enters one event, or gives undefined where the chart does not take it in its state. */
export function recordAttemptEvent(record: ExecutionRecord, event: AttemptEvent): ExecutionRecord | undefined {
  if (!step.takes(record.attempt, event)) return undefined;
  const attempt = step(record.attempt, event)[0];
  const sources = event.type === 'attempt.claimed' ? {} : record.sources;
  return { ...record, attempt, sources };
}

/** Asks the chart what becomes of work that nobody has; undefined while it rests, and where somebody has it. */
export function workOrder({ attempt }: ExecutionRecord, due: WorkDue): WorkOrder | undefined {
  const [action] = step(attempt, due)[1];
  // All that the chart emits; a step hands it over untyped.
  return action && (action.params as unknown as { readonly event: WorkOrder }).event;
}

/** Notes that a report of that number was taken. */
export function noteReport(record: ExecutionRecord, source: string, seq: number): ExecutionRecord {
  if (isOnly(source, record.sources)) return { ...record, sources: { [source]: seq } };
  const { [source]: _, ...others } = record.sources;
  const isFull = Object.keys(others).length >= SOURCES_MAX;
  const newest = isFull ? Object.fromEntries(Object.entries(others).slice(1 - SOURCES_MAX)) : others;
  return { ...record, sources: { ...newest, [source]: seq } };
}

/** True where nothing else reports. */
function isOnly(source: string, sources: ExecutionRecord['sources']): boolean {
  for (const name of Object.keys(sources)) if (name !== source) return false;
  return true;
}

/** The innermost states of the attempt's chart. */
export type AttemptState = 'pending' | 'starting' | 'held' | 'stopping' | 'notified' | 'lost' | 'suspected' | 'ended' | 'released';

/** The innermost state of the attempt's chart. */
export function attemptState({ attempt: { value } }: ExecutionRecord): AttemptState {
  if (typeof value === 'string') return value;
  return typeof value.unfinished === 'string' ? value.unfinished : value.unfinished.claimed.run;
}

/** What stands beside the attempt's chart, in every version. */
type Rest = Pick<ExecutionRecord, 'asked' | 'firstRetained' | 'endedAt'>;

interface StoredV1 extends AttemptV1, Rest {
  readonly v: 1;
}

interface StoredV2 extends Rest {
  readonly v: 2;
  readonly bytes?: StoredBytes;
  readonly value: unknown;
  /** `spared` is there where it is not 0. */
  readonly context: Omit<AttemptContext, 'leaseUntil' | 'spared'> & Partial<Pick<AttemptContext, 'spared'>>;
}

/** The record as JSON texts, under the names that the store has them by. What every report changes is one of its own, and small. */
export interface ExecutionRecordTexts {
  readonly ledger: string;
  readonly sources: string;
  /** Absent where the task never had a part. */
  readonly lanes?: string;
}

/** The texts that differ from those of an older record; all of them where there is none. */
export function serializeExecutionRecord(
  { attempt, sources, bytes, lanes, asked, firstRetained, endedAt }: ExecutionRecord,
  before?: ExecutionRecord,
): Partial<ExecutionRecordTexts> {
  const isSame =
    attempt === before?.attempt &&
    bytes === before.bytes &&
    asked === before.asked &&
    firstRetained === before.firstRetained &&
    endedAt === before.endedAt;
  const texts: { -readonly [Name in keyof ExecutionRecordTexts]?: string } = {};
  if (!isSame) texts.ledger = ledgerOf(attempt, { asked, firstRetained, endedAt }, bytes);
  if (sources !== before?.sources) texts.sources = JSON.stringify(sources);
  if (lanes !== (before?.lanes ?? noLanes)) texts.lanes = serializeLanes(lanes);
  return texts;
}

/** Reads {@link serializeExecutionRecord}'s texts; throws `NewerVersionError` for those of a later version. */
export function parseExecutionRecord({ ledger, sources, lanes }: ExecutionRecordTexts): ExecutionRecord {
  // Our own texts: only this module writes them.
  const stored = JSON.parse(ledger) as StoredV1 | StoredV2;
  if (stored.v > EXECUTION_RECORD_VERSION) throw new NewerVersionError(stored.v, EXECUTION_RECORD_VERSION);
  const taken = JSON.parse(sources) as ExecutionRecord['sources'];
  const { asked, firstRetained, endedAt } = stored;
  const { value, context } =
    stored.v === 1
      ? attemptFromV1(stored, Object.keys(taken).length > 0)
      : { value: stored.value as AttemptSnapshot['value'], context: { spared: 0, ...stored.context, leaseUntil: null } };
  const bytes = (stored.v === 1 ? undefined : stored.bytes) ?? emptyExecutionRecord.bytes;
  // Throws for a state that the chart does not have.
  const attempt = attemptMachine.resolveState({ value, context });
  return { attempt, sources: taken, asked, firstRetained, endedAt, bytes, lanes: parseLanes(lanes) };
}

/** As version 1 exactly as long as it has a lease of a date: a node of 0.1.0 holds the work, and may live. */
function ledgerOf(attempt: AttemptSnapshot, rest: Rest, bytes: StoredBytes): string {
  const { leaseUntil, spared, ...always } = attempt.context;
  const context = { ...always, ...(spared > 0 && { spared }) };
  if (leaseUntil !== null) return JSON.stringify({ v: 1, ...attemptToV1(attempt), ...rest } satisfies StoredV1);
  return JSON.stringify({ v: EXECUTION_RECORD_VERSION, value: attempt.value, context, ...rest, bytes } satisfies StoredV2);
}
