import { stateOf, type Decision, type Aggregate, type Intent } from '../../machines/index.ts';
import { decide, fold } from '../../machines/tables/index.ts';
import { eventId, parseEventId, payloads, type Fact, type FactBody } from '../../machines/wire/index.ts';
import type { TraceWriter, TurnedAway } from '../actors/unit-trace.ts';
import type { AttemptEvent } from '../attempt/attempt.machine.ts';
import { recordAttemptEvent, noteReport, workOrder, type ExecutionRecord } from '../attempt/execution-record.ts';
import type { WorkDue, WorkOrder } from '../attempt/work-events.ts';
import { TaskBridgeError } from '../errors.ts';
import type { TaskLanes } from '../parts/lane-record.ts';
import { UnitParts, type UnitLanes } from '../parts/unit-parts.ts';
import type { Shares } from '../ports/owners.ts';
import type { Commit, Entry, Fields, Lease } from '../ports/store.ts';
import { changeBetween } from '../shares/shares-of.ts';
import { schemaFaults, valueAt } from '../schema-faults.ts';
import type { CommitNote } from './commit-notes.ts';
import { planOf } from './plan.ts';
import { firstRetained } from './retention.ts';
import type { TaskSettings } from './settings.ts';
import { changedFields, sideValueNames, type TaskRecord } from './task-record.ts';

const noSideValues: ReadonlyMap<string, string> = new Map();
const noFields: Fields = {};

/** A unit of work that is ready to be written. */
export interface FinishedUnit {
  readonly commit: Commit;
  readonly after: TaskRecord;
  readonly facts: readonly Fact[];
  /** What it changes of what the task's owner has. */
  readonly by: Partial<Shares>;
  /** What it did beside its facts. */
  readonly notes: readonly CommitNote[];
}

/** Where a unit stood. */
interface Savepoint {
  readonly aggregate: Aggregate;
  readonly execution: ExecutionRecord;
  readonly entries: number;
  readonly notes: number;
  readonly sideValues: ReadonlyMap<string, string>;
  readonly lastN: number;
  readonly lanes: TaskLanes;
}

/**
 * What several commands, taken one after the other, would change of a task. Nothing of it is real until its commit is written; a unit that met a
 * conflict is thrown away, and its commands are decided again on another one.
 */
export class UnitOfWork {
  readonly now: number;
  readonly #before: TaskRecord;
  readonly #settings: TaskSettings;
  #aggregate: Aggregate;
  #execution: ExecutionRecord;
  readonly #entries: Entry[] = [];
  readonly #facts: Fact[] = [];
  readonly #notes: CommitNote[] = [];
  /** Never changed in place, so that going back is free. */
  #sideValues: ReadonlyMap<string, string> = noSideValues;
  #lastN: number;
  #at: string | undefined;
  #ifLease: Lease | undefined;
  readonly #trace: TraceWriter | undefined;
  readonly #lanes: UnitLanes | undefined;
  /** Made when one is asked about: most units have nothing to do with any. */
  #parts: UnitParts | undefined;

  /** `trace`, where somebody inspects, takes down what is decided; `lanes` are those of the store, where it has some. */
  constructor(before: TaskRecord, now: number, settings: TaskSettings, trace?: TraceWriter, lanes?: UnitLanes) {
    this.#before = before;
    this.#settings = settings;
    this.#aggregate = before.aggregate;
    this.#execution = before.execution;
    this.#lastN = lastNumber(before.aggregate);
    this.now = now;
    this.#trace = trace;
    this.#lanes = lanes;
  }

  get about() {
    return this.#before.about;
  }
  /** Its parts, and their lanes. */
  get parts(): UnitParts {
    return (this.#parts ??= new UnitParts({
      taskId: this.about.taskId,
      before: this.#before.execution.lanes,
      lanes: this.#lanes,
      factBytesMax: this.#settings.factBytesMax,
      decide: (intent) => this.decide(intent),
      stored: (bytes) => this.#store(bytes),
    }));
  }
  get aggregate(): Aggregate {
    return this.#aggregate;
  }
  get execution(): ExecutionRecord {
    return this.#execution;
  }
  /** The store's time as the wire has it. */
  get at(): string {
    return (this.#at ??= wireTime(this.now));
  }
  get factCount(): number {
    return this.#entries.length;
  }
  get isEmpty(): boolean {
    const hasChanged = this.#execution !== this.#before.execution || this.#lanesNow !== this.#before.execution.lanes;
    return this.#entries.length === 0 && this.#sideValues.size === 0 && !hasChanged;
  }

  /** The unit is written only while this lease stands as it was seen. False, and nothing changed, where it is held to another one. */
  holdTo(lease: Lease | undefined): boolean {
    if (!lease) return true;
    const held = this.#ifLease;
    if (held && (held.bucket !== lease.bucket || held.node !== lease.node || held.beat !== lease.beat)) return false;
    this.#ifLease = lease;
    return true;
  }

  /**
   * Asks the charts, and takes the facts that they emit. What would end the task closes its open parts first: as DONE where the work completes it. Throws
   * `LanesToSeal` where the length of one that it closes is not certain yet.
   */
  decide(given: Intent): Decision {
    const intent = closesPart(given) ? this.parts.withText(given) : given;
    const decision = decide(this.#aggregate, intent);
    if (decision.refusal === 'PARTS_OPEN') {
      this.parts.closeAll(openPartsOf(this.#aggregate), intent.type === 'report.completed' ? 'DONE' : 'ABANDONED');
      return this.decide(given);
    }
    this.#trace?.decided(intent, decision.refusal);
    for (const fact of decision.facts) this.#take(fact);
    return decision;
  }

  /** Takes down of intents, where somebody inspects, that no chart was asked, and why. */
  turnAway(intents: readonly Intent[], why: TurnedAway): void {
    for (const intent of intents) this.#trace?.decided(intent, why);
  }

  /** Records an event of the attempt; false where its chart does not take it now. */
  record(event: AttemptEvent): boolean {
    if (event.type === 'attempt.claimed') this.#handOverParts(event);
    const next = recordAttemptEvent(this.#execution, event);
    if (next) {
      this.#execution = next;
      this.#notes.push({ type: 'attempt', event, attempt: next.attempt.context.attempt });
      this.#trace?.add({ kind: 'attempt', event });
    }
    if (event.type === 'attempt.lost') this.#endUnworked();
    return next !== undefined;
  }

  /** Asks the attempt's chart what becomes of work that nobody has; undefined while it rests, and where somebody has it. */
  order(due: WorkDue): WorkOrder | undefined {
    const order = workOrder(this.#execution, due);
    if (order) this.#trace?.add({ kind: 'order', due, order });
    return order;
  }

  /** Notes that a report of that number was taken. */
  noteReport(source: string, seq: number): void {
    this.#execution = noteReport(this.#execution, source, seq);
  }

  /** Writes a side value with this unit. */
  setSideValue(name: string, json: string): void {
    this.#sideValues = new Map(this.#sideValues).set(name, json);
    const bytes = Buffer.byteLength(json);
    if (name !== sideValueNames.saved) this.#store(bytes);
    else if (bytes !== this.#execution.bytes.saved)
      this.#execution = { ...this.#execution, bytes: { ...this.#execution.bytes, saved: bytes } };
  }

  /** Writes a side value in the place of one that may be there; what it stands for is so many bytes more than before, or less. */
  replaceSideValue(name: string, json: string, bytesMore: number): void {
    this.#sideValues = new Map(this.#sideValues).set(name, json);
    this.#store(bytesMore);
  }

  /** The side value that this unit writes under a name, if it does. */
  sideValue(name: string): string | undefined {
    return this.#sideValues.get(name);
  }

  /** Runs one command's decision; if it throws, the unit is as it was before. */
  atomically<A>(run: (unit: UnitOfWork) => A): A {
    const before = this.#savepoint();
    const takeBack = this.#trace?.savepoint();
    try {
      return run(this);
    } catch (error) {
      this.#goBack(before);
      takeBack?.(true);
      throw error;
    }
  }

  /** Runs a decision for its answer only; the unit stays as it is. */
  rehearse<A>(run: (unit: UnitOfWork) => A): A {
    const before = this.#savepoint();
    const takeBack = this.#trace?.savepoint();
    try {
      return run(this);
    } finally {
      this.#goBack(before);
      takeBack?.(false);
    }
  }

  /** Where the unit stands. */
  #savepoint(): Savepoint {
    return {
      aggregate: this.#aggregate,
      execution: this.#execution,
      entries: this.#entries.length,
      notes: this.#notes.length,
      sideValues: this.#sideValues,
      lastN: this.#lastN,
      lanes: this.#lanesNow,
    };
  }

  #goBack({ aggregate, execution, entries, notes, sideValues, lastN, lanes }: Savepoint): void {
    this.#parts?.goBack(lanes);
    this.#aggregate = aggregate;
    this.#execution = execution;
    this.#entries.length = entries;
    this.#facts.length = entries;
    this.#notes.length = notes;
    this.#sideValues = sideValues;
    this.#lastN = lastN;
  }

  /** Everything that changes together; the task's record once it is written, and the facts that are new with it. */
  finish(): FinishedUnit {
    const first = firstRetained(this.#execution, this.#lastN, this.#settings.retainedFactsMax);
    if (first !== this.#execution.firstRetained) this.#execution = { ...this.#execution, firstRetained: first };
    if (this.#lanesNow !== this.#execution.lanes) this.#execution = { ...this.#execution, lanes: this.#lanesNow };
    const after: TaskRecord = {
      about: this.about,
      revision: this.#before.revision + 1,
      aggregate: this.#aggregate,
      execution: this.#execution,
    };
    const by = changeBetween(this.#before.execution, after.execution);
    return { commit: this.#commitTo(after, first), after, facts: this.#facts, by, notes: this.#notes };
  }

  #commitTo(after: TaskRecord, retainedFrom: number): Commit {
    const lanes = this.#parts?.changes();
    const state = stateOf(after.aggregate.task);
    return {
      taskId: this.about.taskId,
      expectedRevision: this.#before.revision,
      facts: this.#entries,
      ended: this.#execution.endedAt !== null && this.#before.execution.endedAt === null,
      fields: changedFields(this.#before, this.#aggregate, this.#execution),
      sideValues: this.#sideValues.size === 0 ? noFields : Object.fromEntries(this.#sideValues),
      plan: planOf(after, this.now, this.#settings),
      ...(state !== stateOf(this.#before.aggregate.task) && { state }),
      ...(this.#ifLease && { ifLease: this.#ifLease }),
      firstRetained: retainedFrom,
      ...(lanes && { lanes }),
    };
  }

  get #lanesNow(): TaskLanes {
    return this.#parts ? this.#parts.lanes : this.#before.execution.lanes;
  }

  #handOverParts(claim: Extract<AttemptEvent, { readonly type: 'attempt.claimed' }>): void {
    const claimed = recordAttemptEvent(this.#execution, claim);
    const openParts = openPartsOf(this.#aggregate);
    if (claimed && openParts.length > 0) this.parts.handOver(openParts, { attempt: claimed.attempt.context.attempt, node: claim.node });
  }

  /** More is stored for the task. */
  #store(bytes: number): void {
    const { others, saved } = this.#execution.bytes;
    this.#execution = { ...this.#execution, bytes: { saved, others: others + bytes } };
  }

  /** Where a task is to stop that nobody works on, there is nobody to wait for. */
  #endUnworked(): void {
    if (this.#execution.attempt.hasTag('claimable')) this.decide({ type: 'cancel.overdue' });
  }

  #take(body: FactBody): void {
    const { success, error } = payloads[body.type].safeParse(body.payload);
    if (!success) {
      const errors = schemaFaults(error.issues, body.payload);
      const [{ path, reason } = { path: '', reason: 'is not valid' }] = errors;
      const place = path === '' ? 'its payload' : `payload.${path}`;
      throw new TaskBridgeError(
        'REQUEST_VALIDATION_ERROR',
        `A ${body.type} was not written: ${place} ${reason}, and is ${valueAt(body.payload, path)}.`,
        { details: { errors: errors.map((fault) => ({ ...fault })) } },
      );
    }
    const { taskId } = this.about;
    const n = this.#lastN + 1;
    const fact = { type: body.type, taskId, eventId: eventId(n, this.now), createdAt: this.at, payload: body.payload } as Fact;
    const bytes = Buffer.from(JSON.stringify(fact));
    if (bytes.length > this.#settings.factBytesMax)
      throw new TaskBridgeError(
        'PAYLOAD_TOO_LARGE',
        `A ${body.type} of ${bytes.length} bytes was not written: one fact may have ${this.#settings.factBytesMax}.`,
        {
          details: { bytes: bytes.length, bytesMax: this.#settings.factBytesMax },
        },
      );
    this.#entries.push({ eventId: fact.eventId, bytes });
    this.#facts.push(fact);
    this.#lastN = n;
    this.#aggregate = fold(this.#aggregate, fact);
    this.#trace?.add({ kind: 'fact', fact });
    if (fact.type === 'TASK_COMPLETED') this.#store(bytes.length);
    this.#recordConsequences(fact, n);
  }

  /** What a fact means for the work behind the task goes into its execution record. */
  #recordConsequences(fact: Fact, n: number): void {
    switch (fact.type) {
      case 'TASK_STARTED':
      case 'TASK_PROGRESS':
      case 'TASK_MESSAGE':
        return;
      case 'TASK_PART_OPENED':
        return this.parts.noteOpened(fact, n, this.#execution.attempt.context);
      case 'TASK_PART_CLOSED':
        return this.parts.noteClosed(fact.payload, n);
      case 'TASK_SUSPENDED':
        this.#execution = { ...this.#execution, asked: { ...this.#execution.asked, [fact.payload.suspendId]: n } };
        return;
      case 'TASK_ACTION_ACCEPTED':
      case 'TASK_SUSPENSION_CLOSED': {
        const { suspendId } = fact.payload;
        const { [suspendId]: askedAt, ...asked } = this.#execution.asked;
        const outcome = fact.type === 'TASK_ACTION_ACCEPTED' ? 'ANSWERED' : fact.payload.outcome;
        if (askedAt !== undefined) this.#notes.push({ type: 'question.closed', suspendId, outcome, asked: askedAt, at: this.now });
        this.#execution = { ...this.#execution, asked };
        this.record({ type: 'resolution.pending', suspendId });
        return;
      }
      case 'TASK_CANCEL_REQUESTED':
        this.record({ type: 'cancel.requested', graceUntil: this.now + this.#settings.cancelGraceMs });
        this.#endUnworked();
        return;
      case 'TASK_COMPLETED':
      case 'TASK_FAILED':
      case 'TASK_CANCELLED':
        this.#execution = { ...this.#execution, endedAt: this.now, asked: {} };
        this.record({ type: 'task.ended' });
        return;
      default:
        fact satisfies never;
    }
  }
}

function openPartsOf({ task }: Aggregate): Aggregate['task']['context']['openParts'] {
  return task.context.openParts;
}

function lastNumber({ lastEventId }: Aggregate): number {
  return lastEventId === null ? 0 : (parseEventId(lastEventId)?.n ?? 0);
}

/** True for what says how much was written to a part. */
function closesPart({ type }: Intent): boolean {
  return type === 'report.part.closed' || type === 'part.abandon';
}

let lastTime = { ms: Number.NaN, text: '' };

/** A time as the wire has it. Many units are of the same millisecond. */
function wireTime(ms: number): string {
  if (lastTime.ms !== ms) lastTime = { ms, text: new Date(ms).toISOString() };
  return lastTime.text;
}
