import { tabMachine, type TabContext } from '../../../client/tabs/tab.machine.ts';
import { actingEffect, mayBeTold, over } from './acting-words.ts';
import { decisionRows, stateRows, timeRows } from './decision-table.ts';
import { BEGINNING, type ContextCell, type Decisions } from './decisions.ts';

const file = new URL('tab.md', import.meta.url);
const states = stateRows(file);
const leaders = ['named', 'answered', 'resigned'].flatMap((what) => ['a', 'b'].map((leader) => ({ type: `leader.${what}`, leader })));
const following = 'tab.together.following';

const events: Readonly<Record<string, { readonly type: string; readonly [field: string]: unknown }>> = {
  'with locks and channels': { type: 'xstate.init', input: { canShare: true } },
  'without them': { type: 'xstate.init', input: { canShare: false } },
  ...Object.fromEntries(['lock.held', 'lock.lost', 'lock.refused', 'tab.close'].map((type) => [type, { type }])),
  ...Object.fromEntries(leaders.map((event) => [`${event.type} ${event.leader}`, event])),
  ...Object.fromEntries(
    ['seeking.asking', 'seeking.doubting', 'guided.asking', 'guided.doubting'].map((state) => [
      `after silence of ${state}`,
      over('silence', `${following}.${state}`),
    ]),
  ),
  'after pulse': over('pulse', `${following}.guided.trusting`),
  'after sweepTime': over('sweepTime', 'tab.together.leading.serving'),
};

const before = (state: string): TabContext => ({ canShare: state !== 'alone', leader: state.startsWith('guided') ? 'a' : null });
const isOf = (told: string, state: string): boolean => !told.includes(' of ') || told.endsWith(` of ${state}`);
const beginnings: readonly ContextCell<TabContext>[] = [true, false].map((canShare) => ({
  state: BEGINNING,
  told: canShare ? 'with locks and channels' : 'without them',
  where: 'nothing',
  before: { canShare, leader: null },
}));
const cells: readonly ContextCell<TabContext>[] = [
  ...beginnings,
  ...states
    .filter(({ isPassing }) => !isPassing)
    .flatMap((row) =>
      Object.entries(events)
        .filter(([told, event]) => event.type !== 'xstate.init' && mayBeTold(row, event) && isOf(told, row.state))
        .map(([told]) => ({ state: row.state, told, where: 'nothing', before: before(row.state) })),
    ),
];

const seeking = ['seeking.asking', 'seeking.doubting'];
const guided = ['guided.trusting', 'guided.asking', 'guided.doubting'];
const sources = {
  converse: 'converse',
  lock: 'claimLock',
  seek: 'seekLeader',
  follow: 'follow',
  ask: 'askLeader',
  lead: 'lead',
  sweep: 'sweep',
  direct: 'connectAlone',
};

/** The chart of a tab, and `tab.md`. */
export const tabDecisions: Decisions<TabContext> = {
  name: 'tab',
  machine: tabMachine,
  pages: ['client/README.md'],
  states,
  times: timeRows(file),
  rows: decisionRows(file, {
    seeking,
    guided,
    together: [...seeking, ...guided, 'seizing', 'leading'],
    leaders: leaders.map(({ type, leader }) => `${type} ${leader}`),
  }),
  cells,
  events,
  value: (state) => {
    const [first = '', second] = state.split('.');
    if (second) return { together: { following: { [first]: second } } };
    return first === 'seizing' ? { together: first } : first === 'leading' ? { together: { leading: 'serving' } } : first;
  },
  said: (word, _event, _before, { leader }) => [actingEffect(word, sources, word === 'opens follow' ? { leader } : undefined)],
  changed: (word, context) =>
    ({ nobody: { ...context, leader: null }, 'leader a': { ...context, leader: 'a' }, 'leader b': { ...context, leader: 'b' } })[word],
};
