import type { EventObject } from 'xstate';
import { taskMachine } from '../../../machines/index.ts';
import type { EventId, FactPayload } from '../../../machines/wire/index.ts';
import type { OpenPart, TaskContext, TaskEvent } from '../../../machines/task/task.machine.ts';
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
  'report.part.opened': { type: 'report.part.opened', payload: { name: 'answer', kind: 'text', attributes: { model: 'small' } } },
  'report.part.closed 3': { type: 'report.part.closed', payload: { part: 3, bytes: 4, outcome: 'DONE', text: 'Yes.' } },
  'report.part.closed 5': { type: 'report.part.closed', payload: { part: 5, bytes: 4, outcome: 'DONE', text: 'Yes.' } },
  'part.abandon 3': { type: 'part.abandon', payload: { part: 3, bytes: 4, text: 'Yes.' } },
  'part.abandon 5': { type: 'part.abandon', payload: { part: 5, bytes: 4, text: 'Yes.' } },
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
  'TASK_PROGRESS bare': fact('TASK_PROGRESS', { progress: 0 }),
  'TASK_PROGRESS wordless': fact('TASK_PROGRESS', { progress: 50, stage: '', message: '' }),
  // What another server may write.
  'TASK_PROGRESS odd': fact('TASK_PROGRESS', { progress: 'much' as unknown as number }),
  TASK_MESSAGE: fact('TASK_MESSAGE', { message: 'Read.' }),
  TASK_PART_OPENED: fact('TASK_PART_OPENED', { name: 'answer', kind: 'text', attributes: { model: 'small' } }),
  'TASK_PART_OPENED 3': fact('TASK_PART_OPENED', { name: 'answer', kind: 'text' }, 3),
  'TASK_PART_OPENED odd name': fact('TASK_PART_OPENED', { name: 7 as unknown as string, kind: 'text' }),
  'TASK_PART_OPENED odd kind': fact('TASK_PART_OPENED', { name: 'answer' } as FactPayload<'TASK_PART_OPENED'>),
  'TASK_PART_OPENED odd id': { ...fact('TASK_PART_OPENED', { name: 'answer', kind: 'text' }), eventId: 'newest' as EventId },
  'TASK_PART_CLOSED 3': fact('TASK_PART_CLOSED', { part: 3, bytes: 4, outcome: 'DONE', text: 'Yes.' }),
  'TASK_PART_CLOSED 5': fact('TASK_PART_CLOSED', { part: 5, bytes: 100_000, outcome: 'ABANDONED' }),
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
  openParts: [],
  partCount: 0,
};
const part = (opened: number): OpenPart => ({ opened, name: 'answer', kind: 'text' });
const sixteenParts = [part(3), ...Array.from({ length: 15 }, (_, n) => part(n + 11))];
const sixteen = Array.from({ length: 16 }, (_, n) => `q${n}`);
/** What a task may remember, and in which states. */
const classes: Readonly<Record<string, { readonly states: readonly string[]; readonly context: Partial<TaskContext> }>> = {
  'nothing open': { states: ['accepted', 'joined', 'running', 'cancelling', ...ended], context: {} },
  'progress before': {
    states: ['accepted', 'joined', 'running'],
    context: { progress: { progress: 20, stage: 'begun', message: 'Begun.' } },
  },
  'a open': { states: ['suspended', 'cancelling'], context: { openSuspensionIds: ['a'], suspensionCount: 1 } },
  'a, b open': { states: ['suspended', 'cancelling'], context: { openSuspensionIds: ['a', 'b'], suspensionCount: 2 } },
  // The first of them is the one that the facts are about.
  '16 open': { states: ['suspended'], context: { openSuspensionIds: ['a', ...sixteen.slice(1)], suspensionCount: 16 } },
  '16 open of 1000 asked': { states: ['suspended'], context: { openSuspensionIds: ['a', ...sixteen.slice(1)], suspensionCount: 1000 } },
  '1000 asked': { states: ['suspended'], context: { openSuspensionIds: ['a'], suspensionCount: 1000 } },
  'part 3': { states: ['accepted', 'joined', 'running', 'cancelling'], context: { openParts: [part(3)], partCount: 1 } },
  'a open, part 3': {
    states: ['suspended'],
    context: { openSuspensionIds: ['a'], suspensionCount: 1, openParts: [part(3)], partCount: 1 },
  },
  'parts 3, 4': { states: ['running'], context: { openParts: [part(3), part(4)], partCount: 2 } },
  '16 parts': { states: ['running'], context: { openParts: sixteenParts, partCount: 16 } },
  '16 parts of 1000': { states: ['running'], context: { openParts: sixteenParts, partCount: 1000 } },
  '1000 parts': { states: ['running'], context: { partCount: 1000 } },
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
  if (type === 'TASK_PART_CLOSED' && reason !== undefined) return [{ type, payload: { ...payload, outcome: reason } }];
  if (type === 'TASK_CANCEL_REQUESTED') return [{ type, payload: reason === undefined ? {} : { reason } }];
  if (type === 'TASK_CANCELLED') return [{ type, payload: { reason, ...(message !== undefined && { message }) } }];
  return [{ type, payload }];
}

const changes: Readonly<Record<string, (before: TaskContext) => Partial<TaskContext>>> = {
  progress: () => ({ progress: { progress: 50, stage: 'half', message: 'Half.' } }),
  'bare progress': () => ({ progress: { progress: 0 } }),
  'wordless progress': () => ({ progress: { progress: 50, stage: '', message: '' } }),
  '+ a': (before) => ({ openSuspensionIds: [...before.openSuspensionIds, 'a'], suspensionCount: before.suspensionCount + 1 }),
  '+ c': (before) => ({ openSuspensionIds: [...before.openSuspensionIds, 'c'], suspensionCount: before.suspensionCount + 1 }),
  '− a': (before) => ({ openSuspensionIds: before.openSuspensionIds.filter((id) => id !== 'a') }),
  'none open': () => ({ openSuspensionIds: [] }),
  '+ part 3': (before) => ({ openParts: [...before.openParts, part(3)], partCount: before.partCount + 1 }),
  '+ part 7': (before) => ({ openParts: [...before.openParts, part(7)], partCount: before.partCount + 1 }),
  '− part 3': (before) => ({ openParts: before.openParts.filter(({ opened }) => opened !== 3) }),
  'no parts': () => ({ openParts: [] }),
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
