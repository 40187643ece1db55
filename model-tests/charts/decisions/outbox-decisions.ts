import { outboxMachine, type OutboxContext } from '../../../client/outbox/outbox.machine.ts';
import { actingEffect, mayBeTold, over } from './acting-words.ts';
import { decisionRows, stateRows, timeRows } from './decision-table.ts';
import type { ContextCell, Decisions } from './decisions.ts';

const file = new URL('outbox.md', import.meta.url);
const states = stateRows(file);
const lasting = states.filter(({ isPassing }) => !isPassing);

const events: Readonly<Record<string, { readonly type: string; readonly [field: string]: unknown }>> = {
  ...Object.fromEntries(
    [
      'gate.opened',
      'gate.closed',
      'lock.held',
      'lock.lost',
      'lock.refused',
      'entries.pending',
      'entries.none',
      'retry.asked',
      'outbox.close',
    ].map((type) => [type, { type }]),
  ),
  'entries: none': { type: 'xstate.done.actor.entries', output: { pending: 0 } },
  'entries: some': { type: 'xstate.done.actor.entries', output: { pending: 1 } },
  'entries: failed': { type: 'xstate.error.actor.entries', error: 'no store' },
  'turn: settled': { type: 'xstate.done.actor.turn', output: { outcome: 'settled' } },
  'turn: nothing': { type: 'xstate.done.actor.turn', output: { outcome: 'nothing' } },
  'turn: failed': { type: 'xstate.done.actor.turn', output: { outcome: 'failed', error: 'no network', retryAfterMs: 5 } },
  'turn: broke': { type: 'xstate.error.actor.turn', error: 'no store' },
  'after restTime of unreadable': over('restTime', 'outbox.open.work.unreadable'),
  'after restTime of resting': over('restTime', 'outbox.open.work.contending.resting'),
  'after nextExpiry': over('nextExpiry', 'outbox.open.work.waiting'),
  'after patience': over('patience', 'outbox.open.work.contending.queueing.patient'),
};

const none: OutboxContext = { failures: 0, retryAfterMs: 0, error: undefined };
const classes: Readonly<Record<string, OutboxContext>> = {
  nothing: none,
  failed: { failures: 3, retryAfterMs: 70, error: 'it was full' },
  'failed often': { failures: 10, retryAfterMs: 70, error: 'it was full' },
};

/** The rest of a state that is left by its time is that of this state. */
const isOf = (told: string, state: string): boolean => !told.includes(' of ') || state.endsWith(`/${told.split(' of ')[1]}`);

const cells: readonly ContextCell<OutboxContext>[] = lasting.flatMap((row) =>
  Object.entries(events)
    .filter(([told, event]) => mayBeTold(row, event) && isOf(told, row.state))
    .flatMap(([told]) => Object.entries(classes).map(([where, before]) => ({ state: row.state, told, where, before }))),
);

const changes: Readonly<Record<string, (before: OutboxContext) => OutboxContext>> = {
  'no failure': () => none,
  'sending failed': ({ failures }) => ({ failures: failures + 1, retryAfterMs: 5, error: 'no network' }),
  'sending failed, no more are counted': ({ failures }) => ({ failures, retryAfterMs: 5, error: 'no network' }),
  'store failed': ({ failures }) => ({ failures: failures + 1, retryAfterMs: 0, error: 'no store' }),
  'store failed, no more are counted': ({ failures }) => ({ failures, retryAfterMs: 0, error: 'no store' }),
};

const contending = {
  queueing: { queueing: 'patient' },
  seizing: 'seizing',
  sending: 'sending',
  resting: 'resting',
} as const;

const names = lasting.map(({ state }) => state).filter((state) => state !== 'over');
const withPart = (part: string): string[] => names.filter((state) => state.split('/').includes(part));
const works = ['loading', 'unreadable', 'idle', 'waiting', 'queueing', 'seizing', 'sending', 'resting'];
const gates = ['open', 'closed'];

/** The chart of an outbox, and `outbox.md`. */
export const outboxDecisions: Decisions<OutboxContext> = {
  name: 'outbox',
  machine: outboxMachine,
  pages: ['client/README.md'],
  states,
  times: timeRows(file),
  rows: decisionRows(file, Object.fromEntries([...works, ...gates].map((part) => [part, withPart(part)]))),
  cells,
  events,
  begins: none,
  value: (state) => {
    const [gate = '', work = ''] = state.split('/');
    if (state === 'over') return 'closed';
    return { open: { gate, work: work in contending ? { contending: contending[work as keyof typeof contending] } : work } };
  },
  then: (word, state) => {
    if (word === '') return undefined;
    const [gate, work] = state.split('/');
    return gates.includes(word) ? `${word}/${work}` : works.includes(word) ? `${gate}/${word}` : word;
  },
  said: (word) => [actingEffect(word, { entries: 'readEntries', turn: 'sendNext', lock: 'claimLock', gate: 'watchGate' })],
  changed: (word, before) => changes[word]?.(before),
};
