import type { EventObject } from 'xstate';
import { decide, fold, suspensionMachine, taskMachine, unaskedSuspension, type Aggregate, type Intent } from '../../machines/index.ts';
import type { Fact, FactBody } from '../../machines/wire/index.ts';
import { take } from '../charts/chart.ts';
import { Coverage } from '../charts/coverage.ts';
import type { TaskWalkState, TaskStep } from './task-plan.ts';

/** What paths have visited of the two charts of a task. */
export interface LevelCoverage {
  readonly task: Coverage;
  readonly suspension: Coverage;
}

export function newLevelCoverage(): LevelCoverage {
  return { task: new Coverage(taskMachine), suspension: new Coverage(suspensionMachine) };
}

/** Notes every arrow that the charts take for a step from a moment on. */
export function noteStep(covered: LevelCoverage, from: TaskWalkState, { stimulus }: TaskStep): void {
  let { aggregate } = from;
  for (const intent of stimulus.intents(from) ?? []) {
    const { refusal } = decide(aggregate, intent);
    aggregate = noteIntent(covered, aggregate, intent);
    // The server makes nothing more of it.
    if (refusal) break;
  }
  for (const fact of stimulus.writes ?? []) aggregate = noteFact(covered, aggregate, fact);
}

function noteIntent(covered: LevelCoverage, aggregate: Aggregate, intent: Intent): Aggregate {
  const suspendId = intent.type === 'report.suspended' ? intent.payload.suspendId : 'suspendId' in intent ? intent.suspendId : undefined;
  const known = suspendId === undefined ? undefined : aggregate.suspensions.get(suspendId);
  if (suspendId === undefined || (intent.type === 'report.suspended' && !known))
    covered.task.note(take(taskMachine, aggregate.task, intent));
  else covered.suspension.note(take(suspensionMachine, known ?? unaskedSuspension, intent));
  return decide(aggregate, intent).facts.reduce((now, fact) => noteFact(covered, now, fact), aggregate);
}

function noteFact(covered: LevelCoverage, now: Aggregate, body: FactBody): Aggregate {
  const last = Number(now.lastEventId?.split('-')[0] ?? 0);
  const fact = { ...body, taskId: 't', eventId: `${last + 1}-1`, createdAt: '2026-01-01T00:00:00Z' } as Fact;
  covered.task.note(take(taskMachine, now.task, fact));
  const next = fold(now, fact);
  for (const [id, after] of next.suspensions) {
    const before = now.suspensions.get(id) ?? unaskedSuspension;
    if (before !== after) covered.suspension.note(take(suspensionMachine, before, fact as EventObject));
  }
  return next;
}

/** What is not to be met over the doors of a server, by reason. The pure charts visit it all. */
const elsewhere: Readonly<Record<keyof LevelCoverage, Readonly<Record<string, readonly string[]>>>> = {
  task: {
    'a race that is over before anybody could see it': ['edge task task.fail #0', 'edge task cancel.overdue #0'],
    'the scheduler asks only what is due': ['edge task.active cancel.overdue #0', 'refusal NOT_CANCELLING'],
    'no door takes what work says of parts as long as no store keeps them': [
      ...['report.part.opened', 'report.part.closed', 'part.abandon'].map((intent) => `edge task ${intent} #0`),
      ...[0, 1, 2].map((nth) => `edge task.active report.part.opened #${nth}`),
      ...['report.part.closed', 'part.abandon'].flatMap((intent) => [0, 1].map((nth) => `edge task.active ${intent} #${nth}`)),
      'refusal TOO_MANY_OPEN_PARTS',
      'refusal TOO_MANY_PARTS',
      'refusal PART_NOT_OPEN',
    ],
    'nothing ends a part here that another node opened': [
      ...['report.completed', 'report.failed', 'report.cancelled', 'task.cancel', 'task.fail'].map((end) => `edge task.active ${end} #0`),
      'edge task.active.cancelling cancel.overdue #0',
      'refusal PARTS_OPEN',
    ],
  },
  suspension: {
    'the scheduler asks only what is due': [
      'edge suspension.unasked suspension.expire #0',
      'edge suspension.open suspension.expire #1',
      'edge suspension.resolved suspension.expire #0',
      'edge suspension.expired suspension.expire #0',
      'edge suspension.cancelled suspension.expire #0',
      'refusal NOT_DUE',
    ],
  },
};

/** Every name that is left out on purpose. */
export function leftOut(chart: keyof LevelCoverage): readonly string[] {
  return Object.values(elsewhere[chart]).flat();
}
