import type { ReportIntent } from '../../machines/index.ts';
import type { JsonObject } from '../../machines/wire/index.ts';
import type { ContractType } from '../../machines/contract/index.ts';
import type { Contracts } from '../contract/contracts.ts';
import { TaskBridgeError } from '../errors.ts';
import type { AttachmentReference, AttachmentStore } from '../ports/attachments.ts';
import type { PathParams } from '../ports/auth.ts';
import type { ServerChance } from '../ports/chance.ts';
import type {
  AcceptedAction,
  AttemptRef,
  HeardEnd,
  PartReport,
  ReportRefusal,
  WorkReport,
  WorkReportOutcome,
  Work,
} from '../ports/executor.ts';
import type { Store } from '../ports/store.ts';
import type { TraceContext } from '../ports/tracing.ts';
import type { PartFlusher } from '../parts/part-flusher.ts';
import { workParts } from '../parts/work-parts.ts';
import type { ShareBook } from '../shares/share-book.ts';
import type { CommandProcessor } from '../task/command-processor.ts';
import type { Command } from '../task/mailbox.ts';
import type { TaskSettings } from '../task/settings.ts';
import type { StoreClock } from '../task/store-clock.ts';
import { isStoredQuestion, storeQuestion } from '../task/stored-question.ts';
import { sideValueNames, type TaskRecord } from '../task/task-record.ts';
import type { UnitOfWork } from '../task/unit-of-work.ts';
import type { ExecutionRecord } from './execution-record.ts';
import { fittingReport } from './work-report.ts';
import { presentable } from './presentable.ts';
import { decidePart, isPartReport, refuseForeignIntents } from './report-intents.ts';
import { resolutionOf } from './resolution.ts';
import { attachFile } from './work-attachments.ts';

type Question = Extract<ReportIntent, { readonly type: 'report.suspended' }>;

/** What a task was created with: a side value, never changed. */
export interface TaskContent {
  readonly input: JsonObject;
  readonly metadata: JsonObject;
  readonly attachments: readonly AttachmentReference[];
}

/** What is needed to make work. */
export interface WorkDeps {
  readonly processor: CommandProcessor;
  readonly store: Store;
  readonly time: StoreClock;
  readonly attachments: AttachmentStore | undefined;
  readonly shares: ShareBook;
  readonly contracts: Contracts;
  readonly chance: ServerChance;
  readonly settings: TaskSettings;
  /** Of this node; absent where the store keeps no parts. */
  readonly flusher?: PartFlusher | undefined;
  /** Called where the store has lost what a run on this node said or heard. */
  onLostHistory(run: AttemptRef): void;
}

/** As in a request: no name is one of a prototype. */
const noParams = Object.freeze(Object.create(null) as PathParams);

/** Intents of one report, at most. */
export const REPORT_INTENTS_MAX = 1000;

/** Gathers what an executor needs to run an attempt. */
export async function workOf(state: Pick<TaskRecord, 'about' | 'execution'>, deps: WorkDeps, traceContext?: TraceContext): Promise<Work> {
  const { taskId } = state.about;
  const [content, saved] = await deps.store.sideValues(taskId, [sideValueNames.content, sideValueNames.saved]);
  if (content === undefined) throw noContent(taskId);
  return workWith(state, { content, saved }, deps, traceContext);
}

/** What work is given, in the text of the store. */
export interface GivenTexts {
  readonly content: string;
  readonly saved: string | undefined;
}

/** What an executor needs to run an attempt, where it is known what that was given. It stands in the trace of its create, unless it has a place of its own there. */
export function workWith(
  { about, execution }: Pick<TaskRecord, 'about' | 'execution'>,
  { content, saved }: GivenTexts,
  deps: WorkDeps,
  traceContext = about.trace,
): Work {
  const { taskId, taskType, owner, clientRequestId, params } = about;
  const { attempt, node } = execution.attempt.context;
  const ref: AttemptRef = { taskId, attempt };
  const given = new ParsedOnce(() => parsedContent(content));
  const left = new ParsedOnce(() => (saved === undefined ? undefined : (JSON.parse(saved) as Work['saved'])));
  const { report, attach, resolution, now, parts, lost } = verbsOf(
    ref,
    owner,
    { claimedBy: node, saved },
    deps.contracts.typeOf(taskType),
    deps,
  );
  return withGiven(
    {
      // Named one by one: what is spread gets a shape of its own for each task.
      taskId,
      attempt,
      taskType,
      owner,
      clientRequestId,
      params: params ? Object.assign(Object.create(null) as PathParams, params) : noParams,
      contentCharacters: content.length + (saved?.length ?? 0),
      ...(traceContext && { traceContext }),
      rest() {
        given.forget();
        left.forget();
      },
      report,
      attach,
      resolution,
      now,
      ...(parts && { parts }),
      ...(lost && { lost }),
    },
    { given, left, attachments: deps.attachments },
  );
}

/** What work was created with, and what it saved, in the text of the store until somebody asks. */
interface Given {
  readonly given: ParsedOnce<TaskContent>;
  readonly left: ParsedOnce<Work['saved']>;
  readonly attachments: AttachmentStore | undefined;
}
type GivenWork = Pick<Work, 'input' | 'metadata' | 'attachments' | 'saved'>;

const givenOf = Symbol('given');
/** Made once for all work: an object with getters of its own costs V8 two kilobytes. */
const accessors = {
  input: {
    enumerable: true,
    get() {
      return this[givenOf].given.value.input;
    },
  },
  metadata: {
    enumerable: true,
    get() {
      return this[givenOf].given.value.metadata;
    },
  },
  attachments: {
    enumerable: true,
    get() {
      const { given, attachments } = this[givenOf];
      return given.value.attachments.map((reference) => ({ ...reference, open: () => openAttachment(attachments, reference) }));
    },
  },
  saved: {
    enumerable: true,
    get() {
      return this[givenOf].left.value;
    },
  },
} satisfies Record<keyof GivenWork, PropertyDescriptor> & ThisType<{ readonly [givenOf]: Given }>;

function withGiven(work: Omit<Work, keyof GivenWork>, given: Given): Work {
  Object.defineProperty(work, givenOf, { value: given });
  return Object.defineProperties(work, accessors) as Work;
}

/** What a run asks of us to its end. Made apart, since what is made in one place is kept as one: a run that waits need not hold its input. */
function verbsOf(
  ref: AttemptRef,
  owner: string,
  run: Pick<ReportingRun, 'claimedBy' | 'saved'>,
  type: ContractType | undefined,
  { processor, shares, store, time, flusher, onLostHistory, attachments, chance, settings }: WorkDeps,
): Pick<Work, 'report' | 'attach' | 'resolution' | 'now' | 'parts' | 'lost'> {
  let taken: NotedReport | undefined;
  return {
    async report(given) {
      const checked = fittingReport(processor, ref.taskId, type, given);
      const report = checked === given ? given : await checked;
      refuseForeignIntents(report.intents, store);
      const { outcome, noted, hasLost } = await shares.asking(owner, questionsIn(report), (mayAsk) =>
        processor.execute(ref.taskId, decidedReport(ref, report, { ...run, mayAsk, taken })),
      );
      taken = noted ?? taken;
      if (hasLost) onLostHistory(ref);
      return outcome;
    },
    attach: (file) =>
      attachFile(
        ref,
        file,
        { attachments, chance, settings },
        {
          isFenced: (execution) =>
            turnedAway(execution, { attempt: ref.attempt, claimedBy: run.claimedBy, source: 'main', seq: Infinity }) !== undefined,
          execute: (command) => processor.execute(ref.taskId, command),
        },
      ),
    resolution: async (suspendId) => resolutionOf(await processor.read(ref.taskId), suspendId, store),
    now: () => time.now(),
    ...(store.lanes && flusher && { parts: workParts(ref, { lanes: store.lanes, flusher, processor }), lost: () => onLostHistory(ref) }),
  };
}

/** A value that is made when it is first asked for, and again after it was forgotten. */
class ParsedOnce<T> {
  readonly #parse: () => T;
  #made: { readonly value: T } | undefined;

  constructor(parse: () => T) {
    this.#parse = parse;
  }

  get value(): T {
    return (this.#made ??= { value: this.#parse() }).value;
  }

  forget(): void {
    this.#made = undefined;
  }
}

/** What a task was created with. */
export async function contentOf(taskId: string, store: Store): Promise<TaskContent> {
  const [content] = await store.sideValues(taskId, [sideValueNames.content]);
  if (content === undefined) throw noContent(taskId);
  return parsedContent(content);
}

/** What it was created with, in the text of the store. */
export function parsedContent(content: string): TaskContent {
  // Our own text, written when the task was created.
  return JSON.parse(content) as TaskContent;
}

function noContent(taskId: string): Error {
  return new Error(`The store has no content of task ${taskId}.`);
}

/** The number of a report that the store has taken, and its source. */
type NotedReport = Pick<WorkReport, 'source' | 'seq'>;

/** As most reports have it. */
const none: readonly never[] = [];

/** What is known of an attempt where its work runs on a node. */
export interface ReportingRun {
  /** Where the store has lost the claim of an attempt, another node may claim one of the same number: this tells them apart. */
  readonly claimedBy: string | null;
  /** What it began with: who saves the same again is no further than before. */
  readonly saved: string | undefined;
  /** False where its owner has as many open questions as one may. */
  readonly mayAsk: boolean;
  /** The last of its reports that the store is known to have taken; undefined for none. */
  readonly taken: NotedReport | undefined;
}

/** What is known of work that reports from elsewhere: only which attempt it is. */
const elsewhere: ReportingRun = { claimedBy: null, saved: undefined, mayAsk: true, taken: undefined };

/** What became of a report, and what that says of its run. */
interface DecidedReport {
  readonly outcome: WorkReportOutcome;
  /** The report itself, where the store has its number. */
  readonly noted?: NotedReport;
  /** The store has lost what the run said or heard: nothing of it may go into the history that is left. */
  readonly hasLost?: true;
}

/** Notes that the work was told how a question ended; false where that is not owed, or not any more. */
export function noteDelivered(unit: UnitOfWork, suspendId: string): boolean {
  return unit.execution.attempt.context.pendingDeliveries.includes(suspendId) && unit.record({ type: 'resolution.delivered', suspendId });
}

/** How many questions a report asks. */
export function questionsIn({ intents }: WorkReport): number {
  return askedIn(intents).length;
}

/** The command behind a report: fenced by the attempt, taken once by its number. The first one of an attempt says that its work begins. */
export function reportCommand(ref: AttemptRef, report: WorkReport, mayAsk = true): Command<WorkReportOutcome> {
  const { source, needs, decide } = decidedReport(ref, report, { ...elsewhere, mayAsk });
  return { ...(source && { source }), ...(needs && { needs }), decide: (...given) => decide(...given).outcome };
}

function decidedReport(
  { attempt }: AttemptRef,
  { source, seq, intents, save, awaits, handed = none, heard = none }: WorkReport,
  { claimedBy, saved, mayAsk, taken }: ReportingRun,
): Command<DecidedReport> {
  if (intents.length > REPORT_INTENTS_MAX)
    throw new TaskBridgeError(
      'PAYLOAD_TOO_LARGE',
      `A report of ${intents.length} intents was not taken: one may have ${REPORT_INTENTS_MAX}.`,
    );
  const asked = askedIn(intents);
  const needs = [
    ...asked.map((suspendId) => sideValueNames.question(suspendId)),
    ...heard.map(({ suspendId }) => sideValueNames.answer(suspendId)),
  ];
  return {
    source: 'work',
    ...(needs.length > 0 && { needs }),
    decide(unit, sideValues) {
      const status = turnedAway(unit.execution, { attempt, claimedBy, source, seq });
      if (status) {
        unit.turnAway(intents.filter(isIntent), status);
        return { outcome: { status }, ...(status === 'duplicate' && { noted: { source, seq } }) };
      }
      if ((taken && (unit.execution.sources[taken.source] ?? 0) < taken.seq) || !heard.every((end) => isEnd(unit, end, sideValues))) {
        unit.turnAway(intents.filter(isIntent), 'fenced');
        return { outcome: { status: 'fenced' }, hasLost: true };
      }
      for (const suspendId of handed) noteDelivered(unit, suspendId);
      const factsBefore = unit.factCount;
      const refusals = intents.map((intent) => {
        if (isPartReport(intent)) return decidePart(unit, intent);
        return intent.type === 'report.suspended' ? ask(unit, intent, sideValues, mayAsk) : unit.decide(presentable(intent)).refusal;
      });
      const savedNow = save === undefined ? undefined : JSON.stringify(save);
      if (savedNow !== undefined) unit.setSideValue(sideValueNames.saved, savedNow);
      const isFirst = unit.record({ type: 'attempt.begun' });
      if (savedNow !== undefined && savedNow !== saved) unit.record({ type: 'attempt.advanced' });
      // Where the answer is there already, the run has it in a moment, and does not wait.
      if ((awaits ?? asked).some((suspendId) => unit.aggregate.suspensions.get(suspendId)?.value === 'open'))
        unit.record({ type: 'attempt.suspended' });
      else if (unit.factCount > factsBefore || savedNow !== undefined) unit.record({ type: 'attempt.resumed' });
      const isNoted = isFirst || unit.factCount > factsBefore || savedNow !== undefined || heard.length > 0;
      if (isNoted) unit.noteReport(source, seq);
      // Work that reports its own end need not be notified of it.
      if (unit.execution.endedAt !== null) unit.record({ type: 'work.released' });
      const outcome = { status: 'committed', refusals } as const;
      return isNoted ? { outcome, noted: { source, seq } } : { outcome };
    },
  };
}

/** Why a report is not taken, whatever it says; undefined where it is. */
function turnedAway(
  { attempt: holder, sources }: ExecutionRecord,
  { attempt, claimedBy, source, seq }: Pick<WorkReport, 'source' | 'seq'> & { readonly attempt: number; readonly claimedBy: string | null },
): 'fenced' | 'duplicate' | undefined {
  const isOfThis = holder.context.attempt === attempt;
  if (isOfThis && claimedBy !== null && (holder.context.node ?? claimedBy) !== claimedBy) return 'fenced';
  if (isOfThis && seq <= (sources[source] ?? 0)) return 'duplicate';
  return isOfThis && !holder.hasTag('fenced') ? undefined : 'fenced';
}

const endStates = { ANSWERED: 'resolved', EXPIRED: 'expired', CANCELLED: 'cancelled' } as const;

/** True where a question ended as a run was told. */
function isEnd(unit: UnitOfWork, { suspendId, outcome, clientActionId }: HeardEnd, sideValues: ReadonlyMap<string, string>): boolean {
  if (unit.aggregate.suspensions.get(suspendId)?.value !== endStates[outcome]) return false;
  const answer = unit.sideValue(sideValueNames.answer(suspendId)) ?? sideValues.get(sideValueNames.answer(suspendId));
  // Our own text, written when it was accepted.
  return outcome !== 'ANSWERED' || (answer !== undefined && (JSON.parse(answer) as AcceptedAction).clientActionId === clientActionId);
}

function isIntent(intent: ReportIntent | PartReport): intent is ReportIntent {
  return !isPartReport(intent);
}

/** The questions that a report asks. */
function askedIn(intents: WorkReport['intents']): readonly string[] {
  let asked: string[] | undefined;
  for (const intent of intents) if (intent.type === 'report.suspended') (asked ??= []).push(intent.payload.suspendId);
  return asked ?? none;
}

/**
 * Asks a question, and keeps what it was: a later run of the work that asks under the same key gets the answer that was given to this very
 * question, and to no other.
 */
function ask(unit: UnitOfWork, intent: Question, sideValues: ReadonlyMap<string, string>, mayAsk: boolean): ReportRefusal | undefined {
  const name = sideValueNames.question(intent.payload.suspendId);
  // What was asked before is asked no second time, and may be.
  if (!mayAsk && unit.rehearse((trial) => trial.decide(intent).refusal) === undefined) return 'QUESTIONS_FULL';
  const { refusal } = unit.decide(intent);
  if (refusal === undefined) unit.setSideValue(name, storeQuestion(intent.payload));
  if (refusal !== 'ALREADY_ASKED') return refusal;
  return isStoredQuestion(unit.sideValue(name) ?? sideValues.get(name), intent.payload) ? refusal : 'ASKED_OTHERWISE';
}

function openAttachment(attachments: AttachmentStore | undefined, { key }: AttachmentReference) {
  if (!attachments) return Promise.reject(new Error('This node has no attachment store to open an attachment from.'));
  return attachments.open(key);
}
