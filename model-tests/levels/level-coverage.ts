import type { EventObject } from 'xstate';
import {
  decide,
  fold,
  suspensionMachine,
  taskMachine,
  unaskedSuspension,
  type Aggregate,
  type Fact,
  type Intent,
} from '../../machines/index.ts';
import { edgesOf, refusalsOf, statesOf, take, type BoundedChart } from '../charts/chart.ts';
import { Coverage } from '../charts/coverage.ts';
import { beginning, type TaskStep } from './task-plan.ts';

/** What paths have visited of the two charts of a task. */
export interface LevelCoverage {
  readonly task: Coverage;
  readonly suspension: Coverage;
}

const chart = (machine: typeof taskMachine | typeof suspensionMachine): BoundedChart => ({
  name: machine.id,
  machine,
  alphabet: [],
  takesEveryFact: true,
  isBeyond: () => false,
  presets: [],
});

/** Goes along paths by the charts alone and notes every arrow that intents and facts take. */
export function coverageOf(paths: readonly (readonly TaskStep[])[]): LevelCoverage {
  const covered = { task: new Coverage(chart(taskMachine)), suspension: new Coverage(chart(suspensionMachine)) };
  for (const path of paths) {
    let moment = beginning;
    for (const step of path) {
      let { aggregate } = moment;
      for (const intent of step.wish.intents(moment) ?? []) aggregate = noteIntent(covered, aggregate, intent);
      moment = step.to;
    }
  }
  return covered;
}

function noteIntent(covered: LevelCoverage, aggregate: Aggregate, intent: Intent): Aggregate {
  const suspendId = intent.type === 'report.suspended' ? intent.payload.suspendId : 'suspendId' in intent ? intent.suspendId : undefined;
  const known = suspendId === undefined ? undefined : aggregate.suspensions.get(suspendId);
  if (suspendId === undefined || (intent.type === 'report.suspended' && !known))
    covered.task.note(take(taskMachine, aggregate.task, intent));
  else covered.suspension.note(take(suspensionMachine, known ?? unaskedSuspension, intent));
  return decide(aggregate, intent).facts.reduce((now, body) => {
    const last = Number(now.lastEventId?.split('-')[0] ?? 0);
    const fact = { ...body, taskId: 't', eventId: `${last + 1}-1`, createdAt: '2026-01-01T00:00:00Z' } as Fact;
    covered.task.note(take(taskMachine, now.task, fact));
    const next = fold(now, fact);
    for (const [id, after] of next.suspensions) {
      const before = now.suspensions.get(id) ?? unaskedSuspension;
      if (before !== after) covered.suspension.note(take(suspensionMachine, before, fact as EventObject));
    }
    return next;
  }, aggregate);
}

/** `covered/all` of a chart's states, edges and refusals. */
export function cellsOf(covered: Coverage, machine: typeof taskMachine | typeof suspensionMachine): string {
  const all = [statesOf(machine).length, edgesOf(machine).length, refusalsOf(machine).size];
  const seen = [covered.states.size, covered.edges.size, covered.refusals.size];
  return ['states', 'edges', 'refusals'].map((name, index) => `${name} ${seen[index]}/${all[index]}`).join(' · ');
}

/** What is not to be met over the doors of a server, by reason. The pure charts visit it all. */
const elsewhere: Readonly<Record<string, readonly string[]>> = {
  'only a client begins in the middle of a log': ['state task.active.joined', 'edge task.active.accepted log.joined #0'],
  'the executor refuses the start: see the tests of the server': ['edge task task.fail #0', 'edge task.active task.fail #0'],
  'takes a thousand questions': ['edge task.active report.suspended #1', 'refusal TOO_MANY_SUSPENSIONS'],
  'the scheduler asks only what is due': [
    'edge task cancel.overdue #0',
    'edge task.active cancel.overdue #0',
    'refusal NOT_CANCELLING',
    'edge suspension.open suspension.expire #1',
    'edge suspension.resolved suspension.expire #0',
    'edge suspension.expired suspension.expire #0',
    'edge suspension.cancelled suspension.expire #0',
    'refusal NOT_DUE',
  ],
  'the answer overtakes the scheduler: see the tests of the server': ['edge suspension.open action.submit #1'],
  'our server appends no such fact there; a log that another wrote may hold it': [
    'edge task.active TASK_ACTION_ACCEPTED #0',
    'edge task.active TASK_SUSPENSION_CLOSED #0',
    'edge task.active.running TASK_STARTED #0',
    'edge task.active.suspended TASK_STARTED #0',
    'edge task.active.cancelling TASK_STARTED #0',
    'edge task.active.cancelling TASK_SUSPENDED #0',
    'edge task.active.cancelling TASK_CANCEL_REQUESTED #0',
  ],
  'our server closes open questions before the end': [
    'edge suspension.open TASK_COMPLETED #0',
    'edge suspension.open TASK_FAILED #0',
    'edge suspension.open TASK_CANCELLED #0',
  ],
};

/** Every name that is left out on purpose. */
export const leftOut: readonly string[] = Object.values(elsewhere).flat();
