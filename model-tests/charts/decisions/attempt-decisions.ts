import {
  attemptMachine,
  type AttemptContext,
  type AttemptEvent,
  type WorkDue,
  type WorkFailure,
} from '../../../server/attempt/attempt.machine.ts';
import { decisionRows, stateRows } from './decision-table.ts';
import type { ContextCell, Decisions } from './decisions.ts';

const file = new URL('attempt.md', import.meta.url);
const progress = ['unbegun', 'begun', 'cleared', 'waiting'];
const runs = ['starting', 'held', 'stopping', 'notified'];
const claimed = progress.flatMap((done) => runs.map((asked) => `${done}/${asked}`));
const claimable = ['pending', 'lost', 'suspected'];

const due: WorkDue = { type: 'work.due', now: 1499, isCancelling: false, mayRepeat: true, crashesMax: 5 };

const events: Readonly<Record<string, AttemptEvent | WorkDue>> = {
  'attempt.claimed': { type: 'attempt.claimed', node: 'n1', startBy: 5000 },
  'attempt.deferred': { type: 'attempt.deferred', retryAt: 2000 },
  'attempt.begun': { type: 'attempt.begun' },
  'attempt.started': { type: 'attempt.started', keptOutside: false, retryAt: null },
  'attempt.started outside': { type: 'attempt.started', keptOutside: true, retryAt: 2500 },
  'attempt.inspected': { type: 'attempt.inspected', retryAt: 2500 },
  'attempt.inspected for good': { type: 'attempt.inspected', retryAt: null },
  'attempt.advanced': { type: 'attempt.advanced' },
  'attempt.suspended': { type: 'attempt.suspended' },
  'attempt.resumed': { type: 'attempt.resumed' },
  'attempt.cleared': { type: 'attempt.cleared' },
  'attempt.lost': { type: 'attempt.lost', crashed: false, retryAt: 9000, restUntil: 9500 },
  'attempt.lost by a crash': { type: 'attempt.lost', crashed: true, retryAt: 9000, restUntil: 9500 },
  'cancel.requested': { type: 'cancel.requested', graceUntil: 4000 },
  'cancel.delivered': { type: 'cancel.delivered' },
  'resolution.pending a': { type: 'resolution.pending', suspendId: 'a' },
  'resolution.pending c': { type: 'resolution.pending', suspendId: 'c' },
  'resolution.delivered a': { type: 'resolution.delivered', suspendId: 'a' },
  'resolution.delivered b': { type: 'resolution.delivered', suspendId: 'b' },
  'task.ended': { type: 'task.ended' },
  'work.released': { type: 'work.released' },
  'work.due': due,
  'work.due when rested': { ...due, now: 1500 },
  'work.due in time': { ...due, now: 4499 },
  'work.due too late': { ...due, now: 4500 },
  'work.due to stop': { ...due, now: 4500, isCancelling: true, mayRepeat: false, crashesMax: 1 },
  'work.due of one run': { ...due, now: 4500, mayRepeat: false, crashesMax: 1 },
  'work.due of one crash': { ...due, now: 4500, crashesMax: 1 },
  'work.due of two crashes': { ...due, now: 4500, crashesMax: 2 },
};

const groups = {
  claimable,
  claimed,
  unfinished: [...claimable, ...claimed],
  ...Object.fromEntries([...progress, ...runs].map((name) => [name, claimed.filter((state) => state.split('/').includes(name))] as const)),
  reports: [
    ...['attempt.begun', 'attempt.started', 'attempt.started outside', 'attempt.inspected', 'attempt.inspected for good'],
    ...['attempt.advanced', 'attempt.suspended'],
    ...['attempt.resumed', 'attempt.cleared', 'attempt.lost', 'attempt.lost by a crash'],
  ],
  dues: ['work.due', 'work.due when rested', 'work.due in time', 'work.due too late'],
  resolutions: ['resolution.pending a', 'resolution.pending c', 'resolution.delivered a', 'resolution.delivered b'],
};
const rows = decisionRows(file, groups);

const none: AttemptContext = {
  attempt: 1,
  node: null,
  leaseUntil: null,
  crashes: 0,
  spared: 0,
  tries: 0,
  retryAt: null,
  startBy: null,
  graceUntil: null,
  pendingDeliveries: [],
};
const much = { tries: 2, retryAt: 1500, startBy: 4500, graceUntil: 3500, pendingDeliveries: ['a', 'b'] };

/** What is remembered of before, and who has the work now. */
function contextOf(state: string, where: string): AttemptContext {
  const isHeld = claimed.includes(state) || state === 'ended';
  return {
    ...none,
    ...(isHeld && { node: 'n0' }),
    ...(where === 'new' && { attempt: 0 }),
    ...(where === 'crashed' && { crashes: 1 }),
    ...(where === 'spared' && { spared: 4 }),
    ...(where === 'crashed, spared six times' && { crashes: 1, spared: 6 }),
    ...(where === 'crashed, spared seven times' && { crashes: 1, spared: 7 }),
    ...(where === 'rests long' && { crashes: 1, retryAt: 9000, startBy: 4500 }),
    ...(where === 'owes much' && { ...much, ...(isHeld && { leaseUntil: 3000 }) }),
  };
}

const cells: readonly ContextCell<AttemptContext>[] = stateRows(file).flatMap(({ state }) =>
  [
    ...(state === 'pending' ? ['new'] : []),
    ...(claimable.includes(state) ? ['rests long', 'crashed, spared six times', 'crashed, spared seven times'] : []),
    'nothing',
    'crashed',
    'spared',
    'owes much',
  ].flatMap((where) => Object.keys(events).map((told) => ({ state, told, where, before: contextOf(state, where) }))),
);

const vacant = { node: null, leaseUntil: null, tries: 0, startBy: null };
const changes: Readonly<Record<string, (before: AttemptContext) => Partial<AttemptContext>>> = {
  'attempt + 1': ({ attempt }) => ({ attempt: attempt + 1 }),
  'node n1': () => ({ node: 'n1' }),
  nobody: () => ({ node: null, leaseUntil: null }),
  'start by 5000': () => ({ startBy: 5000 }),
  'no time to ask': () => ({ retryAt: null }),
  'time to ask 2500': () => ({ retryAt: 2500 }),
  'put off': ({ tries }) => ({ node: null, leaseUntil: null, tries: tries + 1, retryAt: 2000 }),
  confirmed: () => ({ tries: 0, retryAt: null, startBy: null }),
  'counted anew': () => ({ crashes: 0, spared: 0 }),
  left: () => ({ ...vacant, retryAt: 9000 }),
  rests: () => ({ retryAt: 9500 }),
  'let go': () => ({ ...vacant, retryAt: null }),
  'crashes + 1': ({ crashes }) => ({ crashes: crashes + 1 }),
  'no row': ({ crashes, spared }) => ({ crashes: 0, spared: spared + crashes }),
  'spared + 1': ({ spared }) => ({ spared: spared + 1 }),
  grace: () => ({ graceUntil: 4000 }),
  '+ a': ({ pendingDeliveries }) => ({ pendingDeliveries: [...pendingDeliveries, 'a'] }),
  '+ c': ({ pendingDeliveries }) => ({ pendingDeliveries: [...pendingDeliveries, 'c'] }),
  '− a': ({ pendingDeliveries }) => ({ pendingDeliveries: pendingDeliveries.filter((id) => id !== 'a') }),
  '− b': ({ pendingDeliveries }) => ({ pendingDeliveries: pendingDeliveries.filter((id) => id !== 'b') }),
  'nothing owed': () => ({ pendingDeliveries: [], retryAt: null, startBy: null, graceUntil: null }),
};

/** The chart of the work behind a task, and `attempt.md`. */
export const attemptDecisions: Decisions<AttemptContext> = {
  name: 'attempt',
  machine: attemptMachine,
  pages: ['server/README.md'],
  states: stateRows(file),
  rows,
  cells,
  events,
  begins: contextOf('pending', 'new'),
  tellsWhatItTakes: true,
  value: (state) => {
    const [done, asked] = state.split('/');
    if (state === 'ended' || state === 'released') return state;
    return { unfinished: asked ? { claimed: { progress: done, run: asked } } : state };
  },
  then: (word, state) => {
    if (word === '') return undefined;
    const [done = '', asked = ''] = state.split('/');
    if (word === 'claimed') return 'unbegun/starting';
    return progress.includes(word) ? `${word}/${asked}` : runs.includes(word) ? `${done}/${word}` : word;
  },
  said: (word) => {
    const [order, why] = word.split(': ');
    if (order === 'taken') return [{ type: 'taken' }];
    return [{ type: `work.${order}`, ...(why !== undefined && { why: why as WorkFailure }) }];
  },
  changed: (word, before) => (changes[word] ? { ...before, ...changes[word](before) } : undefined),
};
