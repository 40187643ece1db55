import type { Chance } from '../ports/chance.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/observability.ts';
import type { Store } from '../ports/store.ts';
import type { TaskSettings } from './settings.ts';
import type { StoreClock } from './store-clock.ts';
import type { TaskState } from './task-state.ts';

/** What the commit path works with. */
export interface DeskContext {
  readonly store: Store;
  readonly clock: Clock;
  readonly time: StoreClock;
  readonly chance: Chance;
  readonly logger: Logger;
  readonly settings: TaskSettings;
}

/** What a mailbox needs of the desk that it belongs to. */
export interface Drawer {
  /** Conflicts and lost replies that one append survives before it gives up. */
  readonly triesMax: number;
  /** A commit was written. */
  committed(state: TaskState): void;
}
