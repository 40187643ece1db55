import {
  decide,
  emptyAggregate,
  fold,
  type Aggregate,
  type Fact,
  type FactBody,
  type Intent,
  type RefusalCode,
} from '../../machines/index.ts';
import { question } from '../charts/alphabet.ts';

/** Something that is wished of a task over a door that a real server has. */
export interface Wish {
  readonly name: string;
  /** What the server makes of it, one after the other; undefined where it would not do that now. */
  intents(at: TaskMoment): readonly Intent[] | undefined;
}

/** A task as the charts have it, and the actions that were accepted. */
export interface TaskMoment {
  readonly aggregate: Aggregate;
  readonly accepted: ReadonlyMap<string, string>;
}
/** What the charts make of a wish. */
export interface TaskStep {
  readonly wish: Wish;
  readonly to: TaskMoment;
  readonly key: string;
  readonly move: string;
  readonly facts: readonly FactBody[];
  readonly refusal: RefusalCode | undefined;
}

const EARLY = '2026-01-01T00:00:00Z';
const DEADLINE = '2026-01-01T01:00:00Z';
const LATE = '2026-01-01T02:00:00Z';
const plain = (intent: Intent): Wish => ({ name: intent.type, intents: () => [intent] });
const asks = (suspendId: string): Wish => ({
  name: `asks ${suspendId}`,
  intents: () => [{ type: 'report.suspended', payload: question(suspendId) }],
});
const answers = (suspendId: string, clientActionId: string, actionType: string): Wish => ({
  name: `answers ${suspendId} ${clientActionId} ${actionType}`,
  intents({ accepted }) {
    const before = accepted.get(clientActionId);
    const receipt = before === undefined ? {} : ({ receipt: before === `${suspendId} ${actionType}` ? 'same' : 'different' } as const);
    return [{ type: 'action.submit', suspendId, clientActionId, actionType, at: EARLY, ...receipt }];
  },
});

/** The one table by hand: what people, work and time can do to a task on a server. */
export const wishes: readonly Wish[] = [
  plain({ type: 'report.started', payload: {} }),
  plain({ type: 'report.progress', payload: { progress: 50 } }),
  plain({ type: 'report.message', payload: { message: 'Read.' } }),
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
  plain({ type: 'report.completed', payload: { result: { rows: 3 } } }),
  plain({ type: 'report.failed', payload: { code: 'BROKEN', message: 'It broke.', retryable: false } }),
  plain({ type: 'report.cancelled', payload: {} }),
  plain({ type: 'task.cancel', reason: 'Enough.' }),
];

/** Where a task is, as far as it decides what may follow. */
export function keyOf({ aggregate: { task, suspensions }, accepted }: TaskMoment): string {
  const asked = [...suspensions].map(([id, snapshot]) => `${id} ${String(snapshot.value)}`).sort();
  return JSON.stringify([task.value, asked, [...accepted].sort(), task.context.cancelReason]);
}

/** All that may be wished at a moment, and what comes of it. */
export function stepsFrom(from: TaskMoment): TaskStep[] {
  return wishes.flatMap((wish) => stepBy(from, wish) ?? []);
}

/** What comes of one wish; undefined where it cannot be. */
function stepBy(from: TaskMoment, wish: Wish): TaskStep | undefined {
  const intents = wish.intents(from);
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
  const to = { aggregate, accepted };
  const value = (moment: TaskMoment): string => JSON.stringify((JSON.parse(keyOf(moment)) as unknown[]).slice(0, 2));
  return { wish, to, key: keyOf(to), move: `${value(from)} · ${wish.name} · ${refusal ?? value(to)}`, facts, refusal };
}

function written(aggregate: Aggregate, body: FactBody): Fact {
  const last = Number(aggregate.lastEventId?.split('-')[0] ?? 0);
  return { ...body, taskId: 't', eventId: `${last + 1}-1`, createdAt: EARLY } as Fact;
}

export const beginning: TaskMoment = { aggregate: emptyAggregate, accepted: new Map() };

/** Paths that together make every move from every place of a task. */
export function taskTours(lengthMax: number): { readonly paths: TaskStep[][]; readonly places: number; readonly moves: number } {
  const graph = new Map<string, TaskStep[]>();
  const waiting = [beginning];
  for (const moment of waiting) {
    if (graph.has(keyOf(moment))) continue;
    const steps = stepsFrom(moment);
    graph.set(keyOf(moment), steps);
    waiting.push(...steps.map(({ to }) => to));
  }
  const unmade = new Set([...graph.values()].flat().map(({ move }) => move));
  const moves = unmade.size;
  const paths: TaskStep[][] = [];
  while (unmade.size > 0) {
    const path: TaskStep[] = [];
    let here = keyOf(beginning);
    while (path.length < lengthMax) {
      const further = nearest(graph, here, unmade);
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
function nearest(graph: ReadonlyMap<string, readonly TaskStep[]>, start: string, unmade: ReadonlySet<string>): TaskStep[] {
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

function pathBy(...list: readonly Wish[]): TaskStep[] {
  const path: TaskStep[] = [];
  for (const wish of list) {
    const step = stepBy(path.at(-1)?.to ?? beginning, wish);
    if (step) path.push(step);
  }
  return path;
}

/** More questions at once than a task may have. */
export const crowdedPath = pathBy(...Array.from({ length: 17 }, (_, index) => asks(`q${index}`)));

/** A cancel that the work does not follow in time: for doors with a short time of grace. */
export const ignoringPath = pathBy(plain({ type: 'report.started', payload: {} }), {
  name: 'task.cancel, ignored',
  intents: () => [{ type: 'task.cancel', reason: 'Enough.' }, { type: 'cancel.overdue' }],
});
