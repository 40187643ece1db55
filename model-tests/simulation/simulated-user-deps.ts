import type { Browser } from './browser.ts';
import type { Faults } from './faults.ts';
import type { Network } from './network.ts';
import type { Oracle } from './oracle.ts';
import type { OutboxPlan, Sizes, TokensPlan } from './plan.ts';
import type { PlantedBug } from './planted-bug.ts';
import type { SimulatedOutboxStore } from './simulated-outbox-store.ts';
import type { World } from './world.ts';

/** What everybody with a client shares. */
export interface SimulatedUserDeps {
  readonly world: World;
  readonly faults: Faults;
  readonly oracle: Oracle;
  readonly network: Network;
  readonly sizes: Sizes;
  readonly planted: PlantedBug;
  /** The browser whose tabs all of them are, if they are. */
  readonly browser: Browser | undefined;
  readonly outbox: OutboxPlan | undefined;
  readonly tokens: TokensPlan | undefined;
  /** The shelves of all machines, by number. */
  readonly shelves: readonly SimulatedOutboxStore[];
  /** The task of each number, once somebody has started it. */
  readonly taskIds: Map<number, string>;
  /** The tokens that are good have this number or a later one. */
  tokenNumber(): number;
}
