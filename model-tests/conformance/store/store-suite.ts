import type { Store } from 'taskbridge/server/store';
import { commitCases } from './commits.ts';
import { creationCases } from './creation.ts';
import { endCases } from './ends.ts';
import { hidingCases } from './hiding.ts';
import { laneHistoryCases } from './lane-histories.ts';
import { laneValueCases } from './lane-values.ts';
import { laneCases } from './lanes.ts';
import { leaseCases } from './leases.ts';
import { nameCases } from './names.ts';
import { pageCases } from './pages.ts';
import { planCases } from './plans.ts';
import { removalCases } from './removal.ts';
import { reopeningCases } from './reopening.ts';
import { retentionCases } from './retention.ts';
import type { StoreUnderTest } from './samples.ts';
import { shareCases } from './shares.ts';
import { stateCases } from './states.ts';
import { tailCases } from './tail.ts';
import { turnCases } from './turns.ts';
import { walkCases } from './walk.ts';
import { casesOf, type CaseGroup, type Suite } from '../suite/case.ts';

export type { StoreUnderTest } from './samples.ts';

const rule = '`Store` of taskbridge/server, and its verbs’ comments';
const subjectOf = (world: StoreUnderTest): StoreUnderTest => world;
const of = (name: string, group: CaseGroup<Store>) => casesOf(group, { name, rule, subjectOf: ({ store }: StoreUnderTest) => store });

const lanes = {
  name: 'lanes',
  rule,
  subjectOf,
  missing: ({ store }: StoreUnderTest) => (store.lanes ? undefined : 'the store under test has no `lanes`: it keeps no text of parts.'),
};

/** What a store means. Every case wants a store that nobody used before, open and empty. */
export const storeSuite: Suite<StoreUnderTest> = {
  name: 'store',
  cases: [
    ...of('creation', creationCases),
    ...of('commits', commitCases),
    ...of('pages', pageCases),
    ...of('retention', retentionCases),
    ...of('plans', planCases),
    ...of('turns', turnCases),
    ...casesOf(hidingCases, { name: 'hiding', rule, subjectOf }),
    ...of('leases', leaseCases),
    ...of('removal', removalCases),
    ...of('names', nameCases),
    ...of('shares', shareCases),
    ...of('states', stateCases),
    ...of('tail', tailCases),
    ...[laneCases, laneValueCases, laneHistoryCases].flatMap((group) => casesOf(group, lanes)),
    ...of('walk', walkCases),
    ...of('ends', endCases),
    ...casesOf(reopeningCases, {
      name: 'reopening',
      rule,
      subjectOf,
      missing: ({ reopen }) => (reopen ? undefined : 'the store under test has no `reopen`: it keeps nothing.'),
    }),
  ],
};
