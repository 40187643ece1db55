import { initialTransition, type SnapshotFrom } from 'xstate';
import { NewerVersionError, stepOf } from '../../machines/index.ts';
import { attemptMachine, type AttemptContext, type AttemptEvent } from './attempt.machine.ts';

/** The attempt's chart at one moment. */
export type AttemptSnapshot = SnapshotFrom<typeof attemptMachine>;

/** What only the server knows of a task: who works on it, and which reports were taken. Never changed in place. */
export interface Ledger {
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
const LEDGER_VERSION = 1;
const step = stepOf(attemptMachine);

/** The ledger of a task that was just created. */
export const emptyLedger: Ledger = {
  attempt: initialTransition(attemptMachine)[0],
  sources: {},
  asked: {},
  firstRetained: 1,
  endedAt: null,
};

/** Enters one event, or gives undefined where the chart does not take it in its state. */
export function enter(ledger: Ledger, event: AttemptEvent): Ledger | undefined {
  if (!ledger.attempt.can(event)) return undefined;
  const attempt = step(ledger.attempt, event)[0];
  const sources = event.type === 'attempt.claimed' ? {} : ledger.sources;
  return { ...ledger, attempt, sources };
}

/** Notes that a report of that number was taken. */
export function noteReport(ledger: Ledger, source: string, seq: number): Ledger {
  const { [source]: _, ...others } = ledger.sources;
  const isFull = Object.keys(others).length >= SOURCES_MAX;
  const kept = isFull ? Object.fromEntries(Object.entries(others).slice(1 - SOURCES_MAX)) : others;
  return { ...ledger, sources: { ...kept, [source]: seq } };
}

/** The innermost states of the attempt's chart. */
export type AttemptState = 'pending' | 'starting' | 'held' | 'stopping' | 'told' | 'lost' | 'ended' | 'released';

/** The innermost state of the attempt's chart. */
export function attemptState({ attempt }: Ledger): AttemptState {
  return typeof attempt.value === 'string' ? attempt.value : attempt.value.unfinished;
}

interface StoredLedger {
  readonly v: number;
  readonly value: AttemptSnapshot['value'];
  readonly context: AttemptContext;
  readonly asked: Record<string, number>;
  readonly firstRetained: number;
  readonly endedAt: number | null;
}

/** The ledger as JSON texts. What every report changes is one of its own, and small. */
export interface LedgerTexts {
  readonly ledger: string;
  readonly sources: string;
}

/** The texts that differ from those of an older ledger; all of them where there is none. */
export function serializeLedger({ attempt, sources, ...rest }: Ledger, before?: Ledger): Partial<LedgerTexts> {
  const { asked, firstRetained, endedAt } = rest;
  const isSame =
    attempt === before?.attempt && asked === before.asked && firstRetained === before.firstRetained && endedAt === before.endedAt;
  return {
    ...(!isSame && { ledger: textOf({ v: LEDGER_VERSION, value: attempt.value, context: attempt.context, ...rest }) }),
    ...(sources !== before?.sources && { sources: JSON.stringify(sources) }),
  };
}

function textOf(stored: StoredLedger): string {
  return JSON.stringify(stored);
}

/** Reads {@link serializeLedger}'s texts; throws `NewerVersionError` for those of a later version. */
export function parseLedger({ ledger, sources }: LedgerTexts): Ledger {
  // Our own text: only this module writes it.
  const { v, value, context, ...rest } = JSON.parse(ledger) as StoredLedger;
  if (v > LEDGER_VERSION) throw new NewerVersionError(v);
  return { attempt: attemptMachine.resolveState({ value, context }), sources: JSON.parse(sources) as Ledger['sources'], ...rest };
}
