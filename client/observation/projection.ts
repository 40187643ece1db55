import { aggregateFromSnapshot, emptyAggregate, fold, stepTask, type Aggregate } from '../../machines/index.ts';
import {
  compareEventIds,
  eventNumber,
  isTerminalType,
  type Fact,
  type TaskSnapshotResponse,
  type UnknownFact,
} from '../../machines/wire/index.ts';
import type { InspectorActors } from './inspector-actors.ts';

/** The task as this client knows it: a fold of the log, begun at the start, at a checkpoint or at the server's snapshot. */
export interface Projection {
  readonly aggregate: Aggregate;
  /** What the task ended with, where it completed. */
  readonly result: unknown;
  /** True where the aggregate is of the task: of its facts, of a snapshot, of an empty log. */
  readonly isKnown: boolean;
  /** Facts that wait for the snapshot. */
  readonly waiting: number;
  /** False while the snapshot is awaited. */
  readonly isReady: boolean;
  take(fact: Fact | UnknownFact): void;
  /** What was taken is all that there is: nothing, maybe. */
  quiet(): void;
  /** Asks for the snapshot and goes on from there; facts wait meanwhile. */
  rebase(): void;
  /** Nothing is known of the task, and its facts come from the start of its log. */
  restart(): void;
  stop(): void;
}

/** Where a projection begins: at an aggregate, or at whatever the server says now. */
export type ProjectionStart = Aggregate | 'ask';

/** What a projection needs. */
export interface ProjectionDeps {
  readonly start: ProjectionStart;
  /** The result of a task that had completed by then, where it is known. */
  readonly startResult: unknown;
  /** True where `start` was known to be of the task. */
  readonly isStartKnown: boolean;
  readonly inspectors: InspectorActors;
  readonly ask: () => Promise<TaskSnapshotResponse>;
  /** True once the server said that ids count without holes. */
  readonly isDense: () => boolean;
  /** The snapshot could not be had. */
  readonly onPartial: (cause: unknown) => void;
  readonly onChange: () => void;
}

/** The task of a client that knows neither the start of the log nor a snapshot. */
function joined(): Aggregate {
  return { ...emptyAggregate, task: stepTask(emptyAggregate.task, { type: 'log.joined' })[0] };
}

/** After so many snapshots of another history in a row the facts alone say how the task stands. */
const OTHERS_MAX = 3;

/** Folds facts one by one. */
export function createProjection(deps: ProjectionDeps): Projection {
  return new FoldedProjection(deps);
}

class FoldedProjection implements Projection {
  readonly #deps: ProjectionDeps;
  #aggregate: Aggregate;
  #isKnown: boolean;
  #result: unknown;
  #waiting: (Fact | UnknownFact)[] | undefined;
  #question = 0;
  /** Snapshots in a row that were of another history than the facts. */
  #others = 0;

  constructor(deps: ProjectionDeps) {
    const { start } = deps;
    this.#deps = deps;
    this.#aggregate = start === 'ask' ? joined() : start;
    this.#isKnown = deps.isStartKnown || this.#aggregate.lastEventId !== null;
    this.#result = deps.startResult;
    if (start === 'ask') this.rebase();
    else this.#begin(start);
  }

  get aggregate() {
    return this.#aggregate;
  }
  get result() {
    return this.#result;
  }
  get isKnown() {
    return this.#isKnown;
  }
  get waiting() {
    return this.#waiting?.length ?? 0;
  }
  get isReady() {
    return this.#waiting === undefined;
  }

  take(fact: Fact | UnknownFact): void {
    if (!this.#waiting && this.#isOther(fact)) this.rebase();
    if (this.#waiting) this.#waiting.push(fact);
    else this.#apply(fact);
  }

  quiet(): void {
    if (this.#waiting || this.#isKnown) return;
    this.#isKnown = true;
    this.#deps.onChange();
  }

  rebase(facts: (Fact | UnknownFact)[] = []): void {
    const mine = (this.#question += 1);
    // What came before is in the snapshot, or of a history that is lost.
    this.#waiting = facts;
    if (this.#aggregate.lastEventId === null) this.#aggregate = joined();
    this.#deps.ask().then(
      (response) => {
        if (mine !== this.#question) return;
        // The server's result is JSON of any kind.
        this.#result = response.result;
        this.#continueFrom(read(response));
      },
      (cause: unknown) => {
        if (mine === this.#question) this.#continueFrom(undefined, cause);
      },
    );
  }

  restart(): void {
    this.#question += 1;
    this.#waiting = undefined;
    this.#isKnown = false;
    this.#result = undefined;
    this.#begin(emptyAggregate);
  }

  stop(): void {
    this.#question += 1;
    this.#deps.inspectors.stop();
  }

  #begin(next: Aggregate): void {
    this.#aggregate = next;
    this.#deps.inspectors.show(next);
  }

  #continueFrom(next: Aggregate | undefined, cause?: unknown): void {
    if (!next) this.#deps.onPartial(cause);
    this.#isKnown ||= next !== undefined;
    this.#begin(next ?? joined());
    const facts = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const fact of facts) {
      if (this.#others < OTHERS_MAX && this.#isOther(fact)) return this.#meetOther(facts);
      this.#apply(fact);
    }
    this.#others = 0;
    this.#deps.onChange();
  }

  /** Who answered has another history than who sends facts: one of them is given up soon, and it is asked again. */
  #meetOther(facts: (Fact | UnknownFact)[]): void {
    this.#others += 1;
    if (this.#others < OTHERS_MAX) return this.rebase(facts);
    this.#waiting = facts;
    this.#continueFrom(undefined);
  }

  #isOther(fact: Fact | UnknownFact): boolean {
    return this.#deps.isDense() && isOther(this.#aggregate, fact);
  }

  #apply(fact: Fact | UnknownFact): void {
    const last = this.#aggregate.lastEventId;
    if (last !== null && (compareEventIds(fact.eventId, last) ?? 1) <= 0) {
      // Folded already, or part of the snapshot; its result is not.
      if (fact.type === 'TASK_COMPLETED') this.#result = resultOf(fact);
      return;
    }
    this.#isKnown = true;
    this.#deps.inspectors.feed(fact);
    if (fact.type === 'TASK_COMPLETED' && this.#aggregate.task.status === 'active') this.#result = resultOf(fact);
    this.#aggregate = fold(this.#aggregate, fact);
  }
}

/** An answer that cannot be read is none. */
function read(response: TaskSnapshotResponse): Aggregate | undefined {
  try {
    return aggregateFromSnapshot(response);
  } catch {
    return undefined;
  }
}

/** Two histories of one task: another fact has the number of the last one that is known, an end comes before it, or one between them is missing. */
function isOther({ lastEventId }: Aggregate, { eventId, type }: Fact | UnknownFact): boolean {
  const [n, last] = [eventNumber(eventId), lastEventId === null ? undefined : eventNumber(lastEventId)];
  if (n === undefined || last === undefined) return false;
  if (n === last) return eventId !== lastEventId;
  return n < last ? isTerminalType(type) : n > last + 1n;
}

function resultOf({ payload }: { readonly payload: unknown }): unknown {
  return (payload as { result?: unknown }).result;
}
