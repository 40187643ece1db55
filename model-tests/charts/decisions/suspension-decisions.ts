import type { EventObject } from 'xstate';
import { suspensionMachine } from '../../../machines/index.ts';
import type { SuspensionContext, SuspensionEvent } from '../../../machines/suspension/suspension.machine.ts';
import { fact, question } from '../alphabet.ts';
import { decisionRows, stateRows } from './decision-table.ts';
import type { ContextCell, Decisions } from './decisions.ts';

const file = new URL('suspension.md', import.meta.url);
const NOON = '2026-01-01T12:00:00Z';
const BEFORE = '2026-01-01T11:59:59.999Z';
const asked = question('a', NOON);
const accepted = { suspendId: 'a', clientActionId: 'c1', actionType: 'keep', acceptedAt: BEFORE };

function submit(words: string): SuspensionEvent {
  const [actionType = '', ...more] = words.split(' ');
  const receipt = more.includes('same') ? 'same' : more.includes('other') ? 'different' : undefined;
  return {
    type: 'action.submit',
    suspendId: 'a',
    clientActionId: 'c1',
    actionType,
    // The very moment of the deadline is past it.
    at: more.includes('late') ? NOON : BEFORE,
    ...(receipt && { receipt }),
  };
}

const events: Readonly<Record<string, SuspensionEvent>> = {
  ...Object.fromEntries(
    ['keep', 'keep late', 'Keep', 'burn', 'burn late', 'keep same', 'keep late same', 'keep other', 'keep late other'].map((words) => [
      `action.submit ${words}`,
      submit(words),
    ]),
  ),
  'suspension.expire': { type: 'suspension.expire', suspendId: 'a', at: BEFORE },
  'suspension.expire late': { type: 'suspension.expire', suspendId: 'a', at: NOON },
  'report.suspended': { type: 'report.suspended', payload: asked },
  TASK_SUSPENDED: fact('TASK_SUSPENDED', asked),
  TASK_ACTION_ACCEPTED: fact('TASK_ACTION_ACCEPTED', accepted),
  'TASK_SUSPENSION_CLOSED EXPIRED': fact('TASK_SUSPENSION_CLOSED', { suspendId: 'a', outcome: 'EXPIRED' }),
  'TASK_SUSPENSION_CLOSED CANCELLED': fact('TASK_SUSPENSION_CLOSED', { suspendId: 'a', outcome: 'CANCELLED' }),
  'TASK_SUSPENSION_CLOSED LAPSED': fact('TASK_SUSPENSION_CLOSED', { suspendId: 'a', outcome: 'LAPSED' as 'EXPIRED' }),
  TASK_COMPLETED: fact('TASK_COMPLETED', { result: null }),
  TASK_FAILED: fact('TASK_FAILED', { code: 'BROKEN', message: 'It broke.', retryable: false }),
  TASK_CANCELLED: fact('TASK_CANCELLED', { reason: 'Enough.' }),
};

/** What a question remembers, and in which states. */
const classes: Readonly<Record<string, { readonly states: readonly string[]; readonly context: SuspensionContext }>> = {
  nothing: { states: ['unasked', 'resolved', 'expired', 'cancelled'], context: { question: null } },
  'no deadline': { states: ['open'], context: { question: question('a') } },
  deadline: { states: ['open'], context: { question: asked } },
  // The same moment, where the clocks are an hour behind.
  'deadline elsewhere': { states: ['open'], context: { question: question('a', '2026-01-01T11:00:00-01:00') } },
  'odd deadline': { states: ['open'], context: { question: question('a', 'soon') } },
  'takes nothing': { states: ['open'], context: { question: { ...question('a'), allowedActions: [] } } },
  'odd types': { states: ['open'], context: { question: { ...question('a'), allowedActions: 'keep' as unknown as string[] } } },
};

const cells: readonly ContextCell<SuspensionContext>[] = Object.entries(classes).flatMap(([where, { states, context }]) =>
  states.flatMap((state) => Object.keys(events).map((told) => ({ state, told, where, before: context }))),
);

function saidBy(word: string, event: EventObject): EventObject {
  if (word.startsWith('refused ')) return { type: 'refused', code: word.slice('refused '.length) } as EventObject;
  if (word === 'TASK_SUSPENSION_CLOSED EXPIRED')
    return { type: 'TASK_SUSPENSION_CLOSED', payload: { suspendId: 'a', outcome: 'EXPIRED' } } as EventObject;
  return { type: word, payload: { ...accepted, acceptedAt: 'at' in event ? event.at : '' } } as EventObject;
}

const changes: Readonly<Record<string, SuspensionContext>> = { question: { question: asked }, 'no question': { question: null } };

/** A question's chart, and `suspension.md`. */
export const suspensionDecisions: Decisions<SuspensionContext> = {
  name: 'question',
  machine: suspensionMachine,
  states: stateRows(file),
  rows: decisionRows(file),
  cells,
  events,
  begins: { question: null },
  value: (state) => state,
  said: (word, event) => [saidBy(word, event)],
  changed: (word) => changes[word],
};
