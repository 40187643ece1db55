import type { DecisionSource } from '../actors/unit-trace.ts';
import type { Rooms } from '../attempt/rooms.ts';
import type { Supervisor } from '../attempt/supervisor.ts';
import type { Contracts } from '../contract/contracts.ts';
import type { OwnerCount } from '../live/owner-count.ts';
import type { RecordWriter } from '../observability/record-writer.ts';
import type { AttachmentStore } from '../ports/attachments.ts';
import type { ActionValidationPolicy, OwnershipPolicy } from '../ports/auth.ts';
import type { ServerChance } from '../ports/chance.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger, MetricsSink } from '../ports/observability.ts';
import type { Store } from '../ports/store.ts';
import type { Tracer } from '../ports/tracing.ts';
import type { HeldBack } from '../shares/held-back.ts';
import type { Recounts } from '../shares/recount.ts';
import type { ShareBook } from '../shares/share-book.ts';
import type { CommandProcessor } from './command-processor.ts';
import type { IdempotencyPayload } from './content-hash.ts';
import type { TaskSettings } from './settings.ts';
import type { StoreClock } from './store-clock.ts';

/** What the task service works with. */
export interface TaskServiceDeps {
  readonly processor: CommandProcessor;
  readonly store: Store;
  readonly supervisor: Supervisor;
  readonly rooms: Rooms;
  readonly clock: Clock;
  readonly shares: ShareBook;
  readonly heldBack: HeldBack;
  readonly recounts: Recounts;
  /** Retries whose files are copied now, by whatever way they came. */
  readonly copies: OwnerCount;
  readonly time: StoreClock;
  readonly chance: ServerChance;
  /** Absent where nobody traces. */
  readonly tracer?: Tracer | undefined;
  readonly metrics: MetricsSink;
  readonly records: RecordWriter;
  readonly logger: Logger;
  readonly attachments: AttachmentStore | undefined;
  readonly ownership: OwnershipPolicy;
  readonly actions: ActionValidationPolicy | undefined;
  readonly contracts: Contracts;
  readonly idempotencyPayload?: IdempotencyPayload | undefined;
  /** Whose wishes come by this service. */
  readonly source: DecisionSource;
  readonly nodeId: string;
  readonly settings: TaskSettings;
}
