import {
  decide,
  emptyAggregate,
  fold,
  type Aggregate,
  type Intent,
  type RefusalCode,
  type ReportIntent,
  type TaskIntent,
} from '../../machines/index.ts';
import { limits, type Fact, type FactBody, type FactPayload } from '../../machines/wire/index.ts';
import { intentTable, question } from '../charts/alphabet.ts';

/** Something that is wished of a task over a door that a real server has. */
export interface TaskStimulus {
  readonly name: string;
  /** What the server makes of it, one after the other; undefined where it would not do that now. */
  intents(at: TaskWalkState): readonly Intent[] | undefined;
  /** Facts that no chart was asked for: another wrote them into the store. */
  readonly writes?: readonly FactBody[];
}

/** A task as the charts have it, and the actions that were accepted. */
export interface TaskWalkState {
  readonly aggregate: Aggregate;
  readonly accepted: ReadonlyMap<string, string>;
}
/** What the charts make of a stimulus. */
export interface TaskStep {
  readonly stimulus: TaskStimulus;
  readonly to: TaskWalkState;
  readonly key: string;
  readonly move: string;
  readonly facts: readonly FactBody[];
  readonly refusal: RefusalCode | undefined;
}

const EARLY = '2026-01-01T00:00:00Z';
const DEADLINE = '2026-01-01T01:00:00Z';
const LATE = '2026-01-01T02:00:00Z';
/** With what work that no executor takes ends. */
export const noRoom: FactPayload<'TASK_FAILED'> = { code: 'NO_ROOM', message: 'There is no room.', retryable: false };
const plain = (intent: Intent): TaskStimulus => ({ name: intent.type, intents: () => [intent] });
const asks = (suspendId: string): TaskStimulus => ({
  name: `asks ${suspendId}`,
  intents: () => [{ type: 'report.suspended', payload: question(suspendId) }],
});
const answers = (suspendId: string, clientActionId: string, actionType: string): TaskStimulus => ({
  name: `answers ${suspendId} ${clientActionId} ${actionType}`,
  intents({ accepted }) {
    const before = accepted.get(clientActionId);
    const receipt = before === undefined ? {} : ({ receipt: before === `${suspendId} ${actionType}` ? 'same' : 'different' } as const);
    return [{ type: 'action.submit', suspendId, clientActionId, actionType, at: EARLY, ...receipt }];
  },
});

/** One report of each type, but for questions: those are asked by name. */
export const plainReports: readonly ReportIntent[] = Object.values(intentTable).flatMap(([report]) =>
  report && isReport(report) && report.type !== 'report.suspended' ? [report] : [],
);
const ends = ({ type }: ReportIntent): boolean => ['report.completed', 'report.failed', 'report.cancelled'].includes(type);

/** What people, work and time can do to a task on a server: reports as in the charts' alphabet, the rest by hand. */
export const taskStimuli: readonly TaskStimulus[] = [
  ...plainReports.filter((report) => !ends(report)).map(plain),
  asks('a'),
  asks('b'),
  {
    name: 'asks e, which expires',
    intents: ({ aggregate }) =>
      aggregate.suspensions.has('e')
        ? undefined
        : [
            { type: 'report.suspended', payload: question('e', DEADLINE) },
            { type: 'suspension.expire', suspendId: 'e', at: LATE },
          ],
  },
  answers('a', 'c1', 'keep'),
  answers('a', 'c1', 'drop'),
  answers('a', 'c2', 'burn'),
  answers('a', 'c2', 'keep'),
  answers('b', 'c1', 'keep'),
  answers('b', 'c3', 'drop'),
  answers('e', 'c4', 'keep'),
  answers('e', 'c1', 'keep'),
  { name: 'asks e', intents: (moment) => (moment.aggregate.suspensions.has('e') ? asks('e').intents(moment) : undefined) },
  ...plainReports.filter(ends).map(plain),
  plain({ type: 'task.cancel', reason: 'Enough.' }),
];

/** What work says of parts is no report: no door takes it. */
function isReport(intent: TaskIntent): intent is ReportIntent {
  return intent.type.startsWith('report.') && !intent.type.startsWith('report.part.');
}

/** Where a task is, as far as it decides what may follow. */
export function keyOf({ aggregate: { task, suspensions }, accepted }: TaskWalkState): string {
  const asked = [...suspensions].map(([id, snapshot]) => `${id} ${String(snapshot.value)}`).sort();
  return JSON.stringify([task.value, asked, [...accepted].sort(), task.context.cancelReason]);
}

/** All that may be wished at a moment, and what comes of it. */
export function stepsFrom(from: TaskWalkState): TaskStep[] {
  return taskStimuli.flatMap((stimulus) => stepBy(from, stimulus) ?? []);
}

/** What comes of one stimulus; undefined where it cannot be. */
function stepBy(from: TaskWalkState, stimulus: TaskStimulus): TaskStep | undefined {
  const intents = stimulus.intents(from);
  if (!intents) return undefined;
  let { aggregate } = from;
  const accepted = new Map(from.accepted);
  const facts: FactBody[] = [];
  let refusal: RefusalCode | undefined;
  for (const intent of intents) {
    const decision = decide(aggregate, intent);
    refusal ??= decision.refusal;
    for (const fact of decision.facts) {
      facts.push(fact);
      aggregate = fold(aggregate, written(aggregate, fact));
      if (fact.type === 'TASK_ACTION_ACCEPTED')
        accepted.set(fact.payload.clientActionId, `${fact.payload.suspendId} ${fact.payload.actionType}`);
    }
    // What was refused has no deadline that could pass.
    if (decision.refusal) break;
  }
  for (const fact of stimulus.writes ?? []) {
    facts.push(fact);
    aggregate = fold(aggregate, written(aggregate, fact));
  }
  const to = { aggregate, accepted };
  const value = (moment: TaskWalkState): string => JSON.stringify((JSON.parse(keyOf(moment)) as unknown[]).slice(0, 2));
  return { stimulus, to, key: keyOf(to), move: `${value(from)} · ${stimulus.name} · ${refusal ?? value(to)}`, facts, refusal };
}

function written(aggregate: Aggregate, body: FactBody): Fact {
  const last = Number(aggregate.lastEventId?.split('-')[0] ?? 0);
  return { ...body, taskId: 't', eventId: `${last + 1}-1`, createdAt: EARLY } as Fact;
}

export const initialState: TaskWalkState = { aggregate: emptyAggregate, accepted: new Map() };

/** All places of a task, and the steps from each. */
const graph: ReadonlyMap<string, readonly TaskStep[]> = (() => {
  const found = new Map<string, readonly TaskStep[]>();
  const waiting = [initialState];
  for (const moment of waiting) {
    if (found.has(keyOf(moment))) continue;
    const steps = stepsFrom(moment);
    found.set(keyOf(moment), steps);
    waiting.push(...steps.map(({ to }) => to));
  }
  return found;
})();

/** Paths that together make every move from every place of a task. */
export function taskTours(lengthMax: number): { readonly paths: TaskStep[][]; readonly places: number; readonly moves: number } {
  const unmade = new Set([...graph.values()].flat().map(({ move }) => move));
  const moves = unmade.size;
  const paths: TaskStep[][] = [];
  while (unmade.size > 0) {
    const path: TaskStep[] = [];
    let here = keyOf(initialState);
    while (path.length < lengthMax) {
      const further = nearest(here, unmade);
      if (further.length === 0) break;
      for (const step of further) {
        unmade.delete(step.move);
        path.push(step);
        here = step.key;
      }
    }
    paths.push(path);
  }
  return { paths, places: graph.size, moves };
}

/** A shortest way whose last step was not made yet. */
function nearest(start: string, unmade: ReadonlySet<string>): TaskStep[] {
  const cameBy = new Map<string, { readonly before: string; readonly step: TaskStep } | undefined>([[start, undefined]]);
  const wayTo = (key: string): TaskStep[] => {
    const way = cameBy.get(key);
    return way ? [...wayTo(way.before), way.step] : [];
  };
  let last: TaskStep[] = [];
  for (const key of cameBy.keys())
    for (const step of graph.get(key) ?? []) {
      if (unmade.has(step.move)) {
        // The end of a task comes last, so that a path is long.
        if (step.to.aggregate.task.status === 'active' || step.key === key) return [...wayTo(key), step];
        if (last.length === 0) last = [...wayTo(key), step];
      }
      if (!cameBy.has(step.key)) cameBy.set(step.key, { before: key, step });
    }
  return last;
}

function pathBy(...list: readonly TaskStimulus[]): TaskStep[] {
  const path: TaskStep[] = [];
  for (const stimulus of list) {
    const step = stepBy(path.at(-1)?.to ?? initialState, stimulus);
    if (step) path.push(step);
  }
  return path;
}

const started = plain({ type: 'report.started', payload: {} });
const another = (...writes: readonly FactBody[]): TaskStimulus => ({
  name: `another writes ${writes[0]?.type}`,
  intents: () => [],
  writes,
});
const asked = (suspendId: string): FactBody => ({ type: 'TASK_SUSPENDED', payload: question(suspendId) });
const closed = (suspendId: string): FactBody => ({ type: 'TASK_SUSPENSION_CLOSED', payload: { suspendId, outcome: 'CANCELLED' } });

/** More questions at once than a task may have. */
export const crowdedPath = pathBy(...Array.from({ length: limits.openSuspensionsMax + 1 }, (_, index) => asks(`q${index}`)));

/** More questions in its life than a task may ask. */
export const curiousPath = pathBy(
  another(...Array.from({ length: limits.suspensionsMax }, (_, index) => [asked(`q${index}`), closed(`q${index}`)]).flat()),
  asks('a'),
);

/** A cancel that the work does not follow in time: for doors with a short time of grace. */
export const ignoringPath = pathBy(started, {
  name: 'task.cancel, ignored',
  intents: () => [{ type: 'task.cancel', reason: 'Enough.' }, { type: 'cancel.overdue' }],
});

/** An answer that comes after the deadline and before anybody noticed: for doors whose timers oversleep. */
export const latePath = pathBy(
  { name: 'asks e, which expires', intents: () => [{ type: 'report.suspended', payload: question('e', DEADLINE) }] },
  {
    name: 'answers e c1 keep, late',
    intents: () => [{ type: 'action.submit', suspendId: 'e', clientActionId: 'c1', actionType: 'keep', at: LATE }],
  },
);

/** The name of the stimulus that an executor makes true that does not take the work. */
export const REFUSES = 'the executor refuses';
export const refusedPath = pathBy({ name: REFUSES, intents: () => [{ type: 'task.fail', payload: noRoom }] });

const opened: FactBody = { type: 'TASK_PART_OPENED', payload: { name: 'answer', kind: 'text' } };
const closedPart = (part: number): FactBody => ({ type: 'TASK_PART_CLOSED', payload: { part, bytes: 4, outcome: 'DONE', text: 'Yes.' } });

/** Parts as a node that keeps them writes them, and their task's end; a log that ends beside one that is open. */
export const partPaths: readonly (readonly TaskStep[])[] = [
  pathBy(started, another(opened), another(opened), another(closedPart(3)), asks('a'), another(closedPart(2)), answers('a', 'c1', 'keep'), {
    name: 'report.completed',
    intents: () => plainReports.filter(({ type }) => type === 'report.completed'),
  }),
  pathBy(started, another(opened), another({ type: 'TASK_COMPLETED', payload: { result: null } })),
];

/** Facts that our server does not append there; a log that another wrote may hold them. */
export const oddPaths: readonly (readonly TaskStep[])[] = (() => {
  const places = { accepted: [], running: [started], suspended: [asks('a')], cancelling: [started, plain({ type: 'task.cancel' })] };
  const odd: readonly FactBody[] = [
    { type: 'TASK_STARTED', payload: {} },
    asked('b'),
    { type: 'TASK_ACTION_ACCEPTED', payload: { suspendId: 'z', clientActionId: 'c', actionType: 'keep', acceptedAt: EARLY } },
    closed('z'),
    opened,
    closedPart(99),
    { type: 'TASK_CANCEL_REQUESTED', payload: { reason: 'Enough.' } },
    { type: 'TASK_COMPLETED', payload: { result: null } },
    { type: 'TASK_FAILED', payload: noRoom },
    { type: 'TASK_CANCELLED', payload: { reason: 'Enough.' } },
  ];
  // The task goes on as if nothing had happened.
  const next = plain({ type: 'report.message', payload: { message: 'Read.' } });
  return Object.values(places).flatMap((way) => odd.map((fact) => pathBy(...way, another(fact), next)));
})();
