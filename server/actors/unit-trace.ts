import type { Intent, RefusalCode } from '../../machines/index.ts';
import type { ErrorCode, Fact } from '../../machines/wire/index.ts';
import type { AttemptEvent } from '../attempt/attempt.machine.ts';
import type { WorkDue, WorkOrder } from '../attempt/work-events.ts';
import type { TaskAbout } from '../task/about.ts';
import type { TaskRecord } from '../task/task-record.ts';

/** Who wished for something: a request, the host itself (`bridge.tasks`, `bridge.actor`), the work, or the bridge's own look at its tasks. */
export type DecisionSource = 'http' | 'host' | 'work' | 'scheduler';

/** Why a report was not even put to the charts: its run has no task any more, or it was taken before. */
export type TurnedAway = 'fenced' | 'duplicate';

/** What no chart is asked of: that a task is there, or is no more. */
export type ExistenceIntent =
  | {
      readonly type: 'task.create';
      readonly clientRequestId: string;
      readonly taskType: string;
      readonly title?: string | undefined;
      readonly labels?: readonly string[] | undefined;
    }
  | { readonly type: 'task.remove' };

/** A wish, who had it, and why it became nothing: by the charts, or by whoever is asked before them. */
export interface DecisionEntry {
  readonly kind: 'decision';
  readonly source: DecisionSource;
  readonly intent: Intent | ExistenceIntent;
  readonly refusal: RefusalCode | TurnedAway | ErrorCode | undefined;
}

/** One thing that a unit of work decided, or that came of it. */
export type TraceEntry =
  | DecisionEntry
  | { readonly kind: 'fact'; readonly fact: Fact }
  | { readonly kind: 'attempt'; readonly event: AttemptEvent }
  | { readonly kind: 'order'; readonly due: WorkDue; readonly order: WorkOrder };

/** What a unit of work decided, in its order, between two records of its task. */
export interface UnitTrace {
  readonly before: TaskRecord;
  /** Undefined where the task is no more. */
  readonly after: TaskRecord | undefined;
  readonly entries: readonly TraceEntry[];
}

/** A create that became no task. */
export interface RefusedCreate {
  /** What is known of the task that it would have been. */
  readonly about: TaskAbout;
  readonly entry: DecisionEntry;
}

/** What an inspector is shown. */
export type Decided = UnitTrace | RefusedCreate;

/** Takes down what a unit decides, and takes it back as the unit does. */
export class TraceWriter {
  source: DecisionSource = 'scheduler';
  readonly #entries: TraceEntry[] = [];

  get entries(): readonly TraceEntry[] {
    return this.#entries;
  }

  add(entry: TraceEntry): void {
    this.#entries.push(entry);
  }

  decided(intent: Intent, refusal: RefusalCode | TurnedAway | undefined): void {
    this.add({ kind: 'decision', source: this.source, intent, refusal });
  }

  /** Notes where it stands; gives the function that goes back there. A refusal stays said, but where it was a rehearsal. */
  savepoint(): (keepsRefusals: boolean) => void {
    const length = this.#entries.length;
    return (keepsRefusals) => {
      const undone = this.#entries.splice(length);
      if (keepsRefusals) this.#entries.push(...undone.filter((entry) => entry.kind === 'decision' && entry.refusal !== undefined));
    };
  }
}
