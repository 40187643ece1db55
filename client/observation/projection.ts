import { aggregateFromSnapshot, emptyAggregate, fold, stepTask, type Aggregate } from '../../machines/index.ts';
import { compareEventIds, eventNumber, type Fact, type TaskSnapshotResponse, type UnknownFact } from '../../machines/wire/index.ts';
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

/** Folds facts one by one. */
export function createProjection(deps: ProjectionDeps): Projection {
  const { start, startResult, inspectors, ask, isDense, onPartial, onChange } = deps;
  let aggregate: Aggregate = start === 'ask' ? joined() : start;
  let isKnown = deps.isStartKnown || aggregate.lastEventId !== null;
  let result: unknown = startResult;
  let waiting: (Fact | UnknownFact)[] | undefined;
  let question = 0;

  function begin(next: Aggregate): void {
    aggregate = next;
    inspectors.show(next);
  }

  function rebase(): void {
    question += 1;
    const mine = question;
    // What came before is in the snapshot, or of a history that is lost.
    waiting = [];
    if (aggregate.lastEventId === null) aggregate = joined();
    ask().then(
      (response) => {
        if (mine !== question) return;
        // The server's result is JSON of any kind.
        result = response.result;
        continueFrom(read(response));
      },
      (cause: unknown) => {
        if (mine === question) continueFrom(undefined, cause);
      },
    );
  }

  function continueFrom(next: Aggregate | undefined, cause?: unknown): void {
    if (!next) onPartial(cause);
    isKnown ||= next !== undefined;
    begin(next ?? joined());
    const facts = waiting ?? [];
    waiting = undefined;
    for (const fact of facts) apply(fact);
    onChange();
  }

  function apply(fact: Fact | UnknownFact): void {
    const last = aggregate.lastEventId;
    if (last !== null && (compareEventIds(fact.eventId, last) ?? 1) <= 0) {
      // Folded already, or part of the snapshot; its result is not.
      if (fact.type === 'TASK_COMPLETED') result = resultOf(fact);
      return;
    }
    isKnown = true;
    inspectors.feed(fact);
    if (fact.type === 'TASK_COMPLETED' && aggregate.task.status === 'active') result = resultOf(fact);
    aggregate = fold(aggregate, fact);
  }

  if (start === 'ask') rebase();
  else begin(start);

  return {
    get aggregate() {
      return aggregate;
    },
    get result() {
      return result;
    },
    get isKnown() {
      return isKnown;
    },
    get waiting() {
      return waiting?.length ?? 0;
    },
    get isReady() {
      return waiting === undefined;
    },
    take(fact) {
      if (!waiting && isDense() && isOther(aggregate, fact)) rebase();
      if (waiting) waiting.push(fact);
      else apply(fact);
    },
    quiet() {
      if (waiting || isKnown) return;
      isKnown = true;
      onChange();
    },
    rebase,
    stop() {
      question += 1;
      inspectors.stop();
    },
  };
}

/** An answer that cannot be read is none. */
function read(response: TaskSnapshotResponse): Aggregate | undefined {
  try {
    return aggregateFromSnapshot(response);
  } catch {
    return undefined;
  }
}

/** The snapshot was of a history that is lost: the fact with the number of its last one is another. */
function isOther({ lastEventId }: Aggregate, { eventId }: Fact | UnknownFact): boolean {
  const n = eventNumber(eventId);
  return lastEventId !== null && eventId !== lastEventId && n !== undefined && n === eventNumber(lastEventId);
}

function resultOf({ payload }: { readonly payload: unknown }): unknown {
  return (payload as { result?: unknown }).result;
}
