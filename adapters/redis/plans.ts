import type { Plan } from '../../server/ports/index.ts';
import { bucketOf, type Keys } from './keys.ts';

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
export const planNames = { plan: 'plan', kind: 'kind', due: 'due' } as const;

/**
 * What Redis keeps of a plan. A task of 0.1.0 stays one as long as its holder has a lease of a date, since that node has to find it where it
 * looks; any other plan makes it one of today, and none goes back. Nobody has told the store its type: it is due when its work is wanted.
 */
export function storedPlan({ wakeAt, work }: Plan, kind: string, before?: StoredPlan): StoredPlan {
  const until = work && 'heldBy' in work ? work.until : undefined;
  const readyAt = work && 'readyAt' in work ? work.readyAt : null;
  return {
    isDated: before?.isDated === true && until !== undefined,
    wakeAt: earliest(wakeAt, until ?? (kind === '' ? readyAt : null)),
    readyAt: kind === '' ? null : readyAt,
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

/** The kind of a task as one text, `<type>;<owner>`; neither has a `;` in it any more. A task of 0.1.0 has none. */
export function kindOf(taskType: string, owner: string): string {
  return `${escaped(taskType)};${escaped(owner)}`;
}

/** A type or an owner as it stands in a kind, and in the names of queues. */
export function escaped(text: string): string {
  return text.replace(/[%;]/g, encodeURIComponent);
}

/** What a script has to do for a new plan: see `scripts/plan-steps.ts`. */
export interface PlanSteps {
  /** '' for nothing. */
  readonly text: string;
  readonly keys: readonly string[];
  readonly args: readonly string[];
}

/** A task whose plan changes. */
export interface PlannedTask {
  readonly taskId: string;
  /** '' where it has none. */
  readonly kind: string;
}

/** The steps from one plan to the next; undefined for what is not there yet, or no longer. Each key is declared: a cluster that moves a slot then waits. */
export function stepsBetween(keys: Keys, { taskId, kind }: PlannedTask, before?: StoredPlan, after?: StoredPlan): PlanSteps {
  const bucket = bucketOf(taskId);
  const [names, stepKeys, args]: [string[], string[], string[]] = [[], [], []];
  const add = (name: string, itsKeys: readonly string[], itsArgs: readonly string[] = []): void => {
    names.push(name);
    stepKeys.push(...itsKeys);
    args.push(...itsArgs);
  };
  if (after?.isDated) add('dated', [keys.due(bucket)], [after.wakeAt === null ? '' : String(after.wakeAt)]);
  else if (before?.isDated) add('undated', [keys.due(bucket)]);

  const [clock, wanted, next] = [keys.clock(bucket), keys.wanted(bucket), keys.next(bucket)];
  const [wakeBefore, wakeAfter] = [before?.isDated ? null : before?.wakeAt, after?.isDated ? null : after?.wakeAt];
  // At every commit, also where the time stays: the task may be hidden.
  if (wakeAfter != null) add('clock', [clock, next], [String(wakeAfter)]);
  else if (wakeBefore != null) add('unclock', [clock]);

  const [type = '', owner = ''] = kind.split(';');
  const [readyBefore, readyAfter] = [before?.readyAt ?? null, after?.readyAt ?? null];
  if (readyBefore !== null && readyBefore === readyAfter) {
    add('rewanted', [wanted, next, keys.ready(bucket, type)], [String(readyAfter)]);
  } else {
    if (readyBefore !== null) add('unwanted', [wanted, keys.ready(bucket, type), keys.turns(bucket, type)], [owner]);
    if (readyAfter !== null) add('wanted', [wanted, next], [String(readyAfter)]);
  }

  const [heldBefore, heldAfter] = [before?.heldBy ?? '', after?.heldBy ?? ''];
  if (heldBefore !== heldAfter && heldBefore !== '') add('letgo', [keys.held(bucket, heldBefore)]);
  if (heldBefore !== heldAfter && heldAfter !== '') add('hold', [keys.held(bucket, heldAfter), keys.nodes(bucket)], [heldAfter]);
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
function textOfSteps(names: readonly string[], keys: number, args: number): string {
  return names.length === 0 ? '' : [keys, args, ...names].join(' ');
}

function earliest(a: number | null, b: number | null): number | null {
  return a === null ? b : b === null ? a : Math.min(a, b);
}

function numberOrNull(text: string | undefined): number | null {
  return text ? Number(text) : null;
}
