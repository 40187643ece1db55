import { aggregateFromSnapshot, emptyAggregate, fold, stepTask, type Aggregate } from '../../machines/index.ts';
import { compareEventIds, parseEventId, type Fact, type TaskSnapshotResponse, type UnknownFact } from '../../machines/wire/index.ts';
import type { InspectorActors } from './inspector-actors.ts';

/** The task as this client knows it: a fold of the log, begun at the start, at a checkpoint or at the server's snapshot. */
export interface Projection {
  readonly aggregate: Aggregate;
  /** What the task ended with, where it completed. */
  readonly result: unknown;
  /** Facts that wait for the snapshot. */
  readonly waiting: number;
  /** False while the snapshot is awaited. */
  readonly isReady: boolean;
  take(fact: Fact | UnknownFact): void;
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
export function createProjection({ start, startResult, inspectors, ask, isDense, onPartial, onChange }: ProjectionDeps): Projection {
  let aggregate: Aggregate = start === 'ask' ? emptyAggregate : start;
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
    get waiting() {
      return waiting?.length ?? 0;
    },
    get isReady() {
      return waiting === undefined;
    },
    take(fact) {
      if (!waiting && isDense() && isOdd(aggregate, fact)) rebase();
      if (waiting) waiting.push(fact);
      else apply(fact);
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
    return aggregateFromSnapshot({ ...response, progress: response.progress ?? null, suspensions: response.suspensions ?? [] });
  } catch {
    return undefined;
  }
}

/** The first facts of this log are no longer kept, and what it begins with says too little; or the snapshot was of a history that is lost. */
function isOdd(aggregate: Aggregate, { eventId }: Fact | UnknownFact): boolean {
  const n = numberOf(eventId) ?? 1;
  const { lastEventId } = aggregate;
  return lastEventId === null ? aggregate === emptyAggregate && n > 1 : n === numberOf(lastEventId) && eventId !== lastEventId;
}

const numberOf = (id: string): number | undefined => parseEventId(id)?.n;

function resultOf(fact: { readonly payload: unknown }): unknown {
  return (fact.payload as { result?: unknown } | null | undefined)?.result;
}
