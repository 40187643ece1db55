import type { Fact } from '../../machines/wire/index.ts';
import type { ServerChance } from '../ports/chance.ts';
import type { Decided } from '../actors/unit-trace.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger, MetricsSink } from '../ports/observability.ts';
import type { Shares } from '../ports/owners.ts';
import type { Store } from '../ports/store.ts';
import type { Tracer } from '../ports/tracing.ts';
import type { CommitNote } from './commit-notes.ts';
import type { LastWrites } from './last-writes.ts';
import type { TaskSettings } from './settings.ts';
import type { StoreClock } from './store-clock.ts';
import type { TaskRecord } from './task-record.ts';

/** What the command processor works with. */
export interface ProcessorDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly time: StoreClock;
  readonly chance: ServerChance;
  readonly logger: Logger;
  readonly settings: TaskSettings;
  /** Told how long writes take. */
  readonly metrics?: Pick<MetricsSink, 'observeHistogram'> | undefined;
  /** Follows commits; absent where nobody traces. */
  readonly tracer?: Tracer | undefined;
  /** Told of what was decided once it stands; absent where nobody inspects. */
  readonly onDecided?: ((decided: Decided) => void) | undefined;
  /** Told of an owner of whom a commit may have changed what he has, and nobody knows whether it was written. */
  readonly sharesInDoubt?: (owner: string) => void;
  /** Told of an owner of whom a commit is about to change what he has; gives the function that is called when it has its answer, and that was told. */
  readonly writingShares?: (owner: string) => () => void;
}

/**
 * Told after a commit was written: of each fact that this node wrote once, of what the commit changed of what the task's owner has, and of what else it
 * did.
 */
export type CommitListener = (record: TaskRecord, facts: readonly Fact[], by: Partial<Shares>, notes: readonly CommitNote[]) => void;

/** What a mailbox works with. */
export interface MailboxDeps extends ProcessorDeps {
  readonly lastWrites: LastWrites;
  /** Conflicts and lost replies that one append survives before it gives up, now. */
  triesMax(): number;
  /** See {@link CommitListener}. */
  readonly committed: CommitListener;
  /** Resolves when what is submitted in this turn is submitted. */
  turnEnd(): Promise<void>;
  /** What a caller is told of what went wrong. */
  failure(error: unknown): Error;
  /** Nothing waits any more: the mailbox need not be kept where its task waits for a person, or where it knows nothing. */
  drained(taskId: string): void;
}
