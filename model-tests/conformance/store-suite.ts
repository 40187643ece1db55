import { afterEach, beforeEach, describe } from 'vitest';
import type { Store } from '../../server/ports/index.ts';
import { describeCommits } from './store/commits.ts';
import { describeCreation } from './store/creation.ts';
import { describeDueTimes } from './store/due-times.ts';
import { describeEnds } from './store/ends.ts';
import { describePages } from './store/pages.ts';
import { describeRemoval } from './store/removal.ts';
import { describeReopening } from './store/reopening.ts';
import { describeRetention } from './store/retention.ts';
import type { OpenStore, StoreUnderTest } from './store/samples.ts';
import { describeTail } from './store/tail.ts';
import { describeWalk } from './store/walk.ts';

export type { OpenStore, StoreUnderTest } from './store/samples.ts';

/**
 * Says what a store means, and proves it for one adapter. Every test gets a store of its own, empty and open.
 *
 * @param name what the adapter is called.
 * @param open opens a store that nobody used before; `reopen` is to be given wherever the store keeps anything beyond its process.
 */
export function describeStore(name: string, open: OpenStore): void {
  describe(`store: ${name}`, () => {
    let current: StoreUnderTest;
    const underTest = (): StoreUnderTest => current;
    const store = (): Store => current.store;

    beforeEach(async () => {
      current = await open();
    });
    afterEach(async () => {
      await current.close();
    });

    describeCreation(store);
    describeCommits(store);
    describePages(store);
    describeRetention(store);
    describeDueTimes(store);
    describeRemoval(store);
    describeTail(store);
    describeWalk(store);
    describeEnds(store);
    describeReopening(underTest);
  });
}
