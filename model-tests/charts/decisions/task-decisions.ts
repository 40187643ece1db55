import type { EventObject } from 'xstate';
import { taskMachine } from '../../../machines/index.ts';
import type { TaskContext, TaskEvent } from '../../../machines/task/task.machine.ts';
import { fact, question } from '../alphabet.ts';
import { decisionRows, stateRows } from './decision-table.ts';
import type { ContextCell, Decisions } from './decisions.ts';

const open = ['accepted', 'joined', 'running', 'suspended', 'cancelling'];
const ended = ['completed', 'failed', 'cancelled'];
const file = new URL('task.md', import.meta.url);

const failure = { code: 'BROKEN', message: 'It broke.', retryable: true };
const events: Readonly<Record<string, TaskEvent>> = {
  'report.started': { type: 'report.started', payload: { message: 'On it.' } },
  'report.progress': { type: 'report.progress', payload: { progress: 50, stage: 'half' } },
  'report.message': { type: 'report.message', payload: { message: 'Read.' } },
  'report.suspended c': { type: 'report.suspended', payload: question('c') },
  'report.completed': { type: 'report.completed', payload: { result: { rows: 3 } } },
  'report.failed': { type: 'report.failed', payload: failure },
  'report.cancelled': { type: 'report.cancelled', payload: {} },
  'report.cancelled "Stopped." "Half done."': { type: 'report.cancelled', payload: { reason: 'Stopped.', message: 'Half done.' } },
  'task.cancel': { type: 'task.cancel' },
  'task.cancel "Enough."': { type: 'task.cancel', reason: 'Enough.' },
  'task.fail': { type: 'task.fail', payload: failure },
  'cancel.overdue': { type: 'cancel.overdue' },
  'log.joined': { type: 'log.joined' },
  TASK_STARTED: fact('TASK_STARTED', {}),
  TASK_PROGRESS: fact('TASK_PROGRESS', { progress: 50, stage: 'half', message: 'Half.' }),
  // What another server may write.
  'TASK_PROGRESS odd': fact('TASK_PROGRESS', { progress: 'much' as unknown as number }),
  TASK_MESSAGE: fact('TASK_MESSAGE', { message: 'Read.' }),
  'TASK_SUSPENDED a': fact('TASK_SUSPENDED', question('a')),
  'TASK_SUSPENDED c': fact('TASK_SUSPENDED', question('c')),
  'TASK_ACTION_ACCEPTED a': fact('TASK_ACTION_ACCEPTED', {
    suspendId: 'a',
    clientActionId: 'c1',
    actionType: 'keep',
    acceptedAt: '2026-01-01T00:00:00Z',
  }),
  'TASK_SUSPENSION_CLOSED a EXPIRED': fact('TASK_SUSPENSION_CLOSED', { suspendId: 'a', outcome: 'EXPIRED' }),
  'TASK_SUSPENSION_CLOSED a CANCELLED': fact('TASK_SUSPENSION_CLOSED', { suspendId: 'a', outcome: 'CANCELLED' }),
  TASK_CANCEL_REQUESTED: fact('TASK_CANCEL_REQUESTED', {}),
  'TASK_CANCEL_REQUESTED "Enough."': fact('TASK_CANCEL_REQUESTED', { reason: 'Enough.' }),
  TASK_COMPLETED: fact('TASK_COMPLETED', { result: { rows: 3 } }),
  TASK_FAILED: fact('TASK_FAILED', failure),
  TASK_CANCELLED: fact('TASK_CANCELLED', { reason: 'Enough.' }),
};

const none: TaskContext = {
  progress: null,
  openSuspensionIds: [],
  suspensionCount: 0,
  cancelReason: null,
  resultEventId: null,
  failure: null,
  cancellation: null,
};
const sixteen = Array.from({ length: 16 }, (_, n) => `q${n}`);
/** What a task may remember, and in which states. */
const classes: Readonly<Record<string, { readonly states: readonly string[]; readonly context: Partial<TaskContext> }>> = {
  'nothing open': { states: ['accepted', 'joined', 'running', 'cancelling', ...ended], context: {} },
  'a open': { states: ['suspended', 'cancelling'], context: { openSuspensionIds: ['a'], suspensionCount: 1 } },
  'a, b open': { states: ['suspended', 'cancelling'], context: { openSuspensionIds: ['a', 'b'], suspensionCount: 2 } },
  // The first of them is the one that the facts are about.
  '16 open': { states: ['suspended'], context: { openSuspensionIds: ['a', ...sixteen.slice(1)], suspensionCount: 16 } },
  '16 open of 1000 asked': { states: ['suspended'], context: { openSuspensionIds: ['a', ...sixteen.slice(1)], suspensionCount: 1000 } },
  '1000 asked': { states: ['suspended'], context: { openSuspensionIds: ['a'], suspensionCount: 1000 } },
  'reason "Enough."': { states: ['cancelling'], context: { openSuspensionIds: ['a'], suspensionCount: 1, cancelReason: 'Enough.' } },
};

const cells: readonly ContextCell<TaskContext>[] = Object.entries(classes).flatMap(([where, { states, context }]) =>
  states.flatMap((state) => Object.keys(events).map((told) => ({ state, told, where, before: { ...none, ...context } }))),
);

type Said = EventObject & { readonly code?: string; readonly payload?: object };

/** What a word of the table stands for, where the intent bears the rest. */
function saidBy(word: string, { payload = {} }: { readonly payload?: object }, before: TaskContext): Said[] {
  const [, type = '', ...texts] = /^(\S+)(?: "([^"]*)")?(?: "([^"]*)")?$/u.exec(word) ?? [];
  const [reason, message] = texts;
  if (word.startsWith('refused ')) return [{ type: 'refused', code: word.slice('refused '.length) }];
  if (type === 'closes')
    return before.openSuspensionIds.map((suspendId) => ({ type: 'TASK_SUSPENSION_CLOSED', payload: { suspendId, outcome: 'CANCELLED' } }));
  if (type === 'TASK_CANCEL_REQUESTED') return [{ type, payload: reason === undefined ? {} : { reason } }];
  if (type === 'TASK_CANCELLED') return [{ type, payload: { reason, ...(message !== undefined && { message }) } }];
  return [{ type, payload }];
}

const changes: Readonly<Record<string, (before: TaskContext) => Partial<TaskContext>>> = {
  progress: () => ({ progress: { progress: 50, stage: 'half', message: 'Half.' } }),
  '+ a': (before) => ({ openSuspensionIds: [...before.openSuspensionIds, 'a'], suspensionCount: before.suspensionCount + 1 }),
  '+ c': (before) => ({ openSuspensionIds: [...before.openSuspensionIds, 'c'], suspensionCount: before.suspensionCount + 1 }),
  '− a': (before) => ({ openSuspensionIds: before.openSuspensionIds.filter((id) => id !== 'a') }),
  'none open': () => ({ openSuspensionIds: [] }),
  'reason "Enough."': () => ({ cancelReason: 'Enough.' }),
  'no reason': () => ({ cancelReason: null }),
  result: () => ({ resultEventId: '7-1' }),
  failure: () => ({ failure }),
  cancellation: () => ({ cancellation: { reason: 'Enough.' } }),
};

/** The task's chart, and `task.md`. */
export const taskDecisions: Decisions<TaskContext> = {
  name: 'task',
  machine: taskMachine,
  states: stateRows(file),
  rows: decisionRows(file, { open, ended }),
  cells,
  events,
  begins: none,
  value: (state) => (ended.includes(state) ? state : { active: state }),
  said: (word, event, before) => saidBy(word, event as Said, before),
  changed: (word, before) => (changes[word] ? { ...before, ...changes[word](before) } : undefined),
  output: (state, { resultEventId, failure: why, cancellation }) => {
    // Of one that is told something after its end nothing is worked out again.
    if (!resultEventId && !why && !cancellation) return undefined;
    if (state === 'completed') return { status: 'COMPLETED', resultEventId };
    return state === 'failed' ? { status: 'FAILED', failure: why } : { status: 'CANCELLED', cancellation };
  },
};
