import type { Plan } from '../../server/ports/index.ts';
import { bucketOf, type Keys } from './keys.ts';
import { listName, type Kind } from './kind.ts';

/** A plan as Redis keeps it. */
export interface StoredPlan {
  /** True for a task of 0.1.0 whose holder has a lease of a date: its one time stands in `due`, where 0.1.0 looks. */
  readonly isDated: boolean;
  /** When it is due; the end of a lease of a date is such a time too. */
  readonly wakeAt: number | null;
  readonly readyAt: number | null;
  /** '' for nobody. */
  readonly heldBy: string;
}

/** The names of the hash fields that hold a plan. */
export const planNames = { plan: 'plan', due: 'due' } as const;

/**
 * What Redis keeps of a plan. A task of 0.1.0 stays one as long as its holder has a lease of a date, since that node has to find it where it
 * looks; any other plan makes it one of today, and none goes back. Nobody has told the store its type: it is due when its work is wanted.
 */
export function storedPlan({ wakeAt, work }: Plan, kind: Kind | undefined, before?: StoredPlan): StoredPlan {
  const until = work && 'heldBy' in work ? work.until : undefined;
  const readyAt = work && 'readyAt' in work ? work.readyAt : null;
  return {
    isDated: before?.isDated === true && until !== undefined,
    wakeAt: earliest(wakeAt, until ?? (kind ? null : readyAt)),
    readyAt: kind ? readyAt : null,
    // Nobody renews a row for a node whose lease is a date.
    heldBy: work && 'heldBy' in work && until === undefined ? work.heldBy : '',
  };
}

/** A plan as one text: `<wakeAt>;<readyAt>;<heldBy>`. */
export function textOfPlan({ wakeAt, readyAt, heldBy }: StoredPlan): string {
  return `${wakeAt ?? ''};${readyAt ?? ''};${heldBy}`;
}

/** Reads the texts of `plan` and `due`, of which a task has one. */
export function parsePlan(plan: string | undefined, due: string | undefined): StoredPlan {
  if (plan === undefined) return { isDated: true, wakeAt: numberOrNull(due), readyAt: null, heldBy: '' };
  const [wakeAt, readyAt, ...node] = plan.split(';');
  return { isDated: false, wakeAt: numberOrNull(wakeAt), readyAt: numberOrNull(readyAt), heldBy: node.join(';') };
}

/** A stored plan as the port has it. Who holds a task with a lease of a date is not kept: it is due when the date has come. */
export function plainPlan({ wakeAt, readyAt, heldBy }: StoredPlan): Plan {
  return { wakeAt, work: heldBy !== '' ? { heldBy } : readyAt !== null ? { readyAt } : null };
}

/** What a script has to do for a new plan or another state: see `scripts/plan-steps.ts`. */
export interface PlanSteps {
  /** '' for nothing. */
  readonly text: string;
  readonly keys: readonly string[];
  readonly args: readonly string[];
}

/** Where a task stands. */
export interface Stand {
  readonly plan: StoredPlan;
  /** Undefined for a task of 0.1.0. Its type and owner never change. */
  readonly kind: Kind | undefined;
}

/** The steps from one stand to the next; undefined for what is not there yet, or no longer. Each key is declared: a cluster that moves a slot then waits. */
export function stepsBetween(keys: Keys, taskId: string, before?: Stand, after?: Stand): PlanSteps {
  const bucket = bucketOf(taskId);
  const [names, stepKeys, args]: [string[], string[], string[]] = [[], [], []];
  const add = (name: string, itsKeys: readonly string[], itsArgs: readonly string[] = []): void => {
    names.push(name);
    stepKeys.push(...itsKeys);
    args.push(...itsArgs);
  };
  const [planBefore, planAfter] = [before?.plan, after?.plan];
  if (planAfter?.isDated) add('dated', [keys.due(bucket)], [planAfter.wakeAt === null ? '' : String(planAfter.wakeAt)]);
  else if (planBefore?.isDated) add('undated', [keys.due(bucket)]);

  const [clock, wanted, next] = [keys.clock(bucket), keys.wanted(bucket), keys.next(bucket)];
  const [wakeBefore, wakeAfter] = [planBefore?.isDated ? null : planBefore?.wakeAt, planAfter?.isDated ? null : planAfter?.wakeAt];
  // At every commit, also where the time stays: the task may be hidden.
  if (wakeAfter != null) add('clock', [clock, next], [String(wakeAfter)]);
  else if (wakeBefore != null) add('unclock', [clock]);

  const { type = '', owner = '' } = after?.kind ?? before?.kind ?? {};
  const [readyBefore, readyAfter] = [planBefore?.readyAt ?? null, planAfter?.readyAt ?? null];
  if (readyBefore !== null && readyBefore === readyAfter) {
    add('rewanted', [wanted, next, keys.ready(bucket, type)], [String(readyAfter)]);
  } else {
    if (readyBefore !== null) add('unwanted', [wanted, keys.ready(bucket, type), keys.turns(bucket, type)], [owner]);
    if (readyAfter !== null) add('wanted', [wanted, next], [String(readyAfter)]);
  }

  const [heldBefore, heldAfter] = [planBefore?.heldBy ?? '', planAfter?.heldBy ?? ''];
  if (heldBefore !== heldAfter && heldBefore !== '') add('letgo', [keys.held(bucket, heldBefore)]);
  if (heldBefore !== heldAfter && heldAfter !== '') add('hold', [keys.held(bucket, heldAfter), keys.nodes(bucket)], [heldAfter]);

  const [stateBefore, stateAfter] = [before?.kind?.state, after?.kind?.state];
  if (stateBefore !== stateAfter && stateBefore !== undefined) add('unlist', [keys.inList(bucket, listName(stateBefore, type))]);
  if (stateBefore !== stateAfter && stateAfter !== undefined) {
    const list = listName(stateAfter, type);
    add('list', [keys.inList(bucket, list), keys.lists(bucket)], [list]);
  }
  return { text: textOfSteps(names, stepKeys.length, args.length), keys: stepKeys, args };
}

/** The same steps, but only where a lease stands as it was seen. */
export function stepsIfLease(keys: Keys, taskId: string, { node, beat }: { node: string; beat: number }, steps: PlanSteps): PlanSteps {
  const names = steps.text.split(' ').slice(2);
  const [allKeys, args] = [
    [keys.nodes(bucketOf(taskId)), ...steps.keys],
    [node, String(beat), ...steps.args],
  ];
  return { text: textOfSteps(['lease', ...names], allKeys.length, args.length), keys: allKeys, args };
}

/** `<keys> <arguments> <name> <name> …`. */
export function textOfSteps(names: readonly string[], keys: number, args: number): string {
  return names.length === 0 ? '' : [keys, args, ...names].join(' ');
}

function earliest(a: number | null, b: number | null): number | null {
  return a === null ? b : b === null ? a : Math.min(a, b);
}

function numberOrNull(text: string | undefined): number | null {
  return text ? Number(text) : null;
}
