import type { Fact } from '../../machines/wire/index.ts';
import type { ServerChance } from '../ports/chance.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/observability.ts';
import type { Store } from '../ports/store.ts';
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
}

/** What a mailbox works with. */
export interface MailboxDeps extends ProcessorDeps {
  readonly lastWrites: LastWrites;
  /** Conflicts and lost replies that one append survives before it gives up, now. */
  triesMax(): number;
  /** A commit was written; each fact that this node wrote is told of once. */
  committed(record: TaskRecord, facts: readonly Fact[]): void;
  /** The task waits for a person: its mailbox need not be kept. */
  rests(taskId: string): void;
}
