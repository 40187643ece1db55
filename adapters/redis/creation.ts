import { shareNames, type Created, type NewTask, type Shares } from '../../server/ports/index.ts';
import type { StoreDeps } from './deps.ts';
import { FIELD, pairsOf } from './fields.ts';
import { textOfHead, type Head } from './heads.ts';
import { escaped, escapedState, textOfKind } from './kind.ts';
import { glanceAt } from './lists.ts';
import { changeCounts, dropName, ownerKeys } from './owners.ts';
import { planNames, stepsBetween, storedPlan, textOfPlan } from './plans.ts';
import { integerOf, textOf } from './reply.ts';
import { name } from './scripts/index.ts';

/** Another task has the id. */
class TakenIdError extends Error {
  constructor(taskId: string) {
    super(`Task ${taskId} exists already under another request key. Draw another task id.`);
    this.name = 'TakenIdError';
  }
}

/** Writes a task, its request key, its name and its state. On one server that is one step. */
export async function writeNewTask(deps: StoreDeps, task: NewTask): Promise<Created> {
  return deps.isCluster ? writeApart(deps, task) : writeTask(deps, task);
}

/**
 * On a cluster an owner lies in another slot than his task, and is written first. Where this process ends in between there is a name without a task,
 * which nobody is shown, and counts that are put right later.
 */
async function writeApart(deps: StoreDeps, task: NewTask): Promise<Created> {
  const { owner, requestKey } = task;
  const named = await deps.connection.run(name, ownerKeys(deps, owner), [requestKey, owner, ...sharesOf(task)]);
  const full = integerOf(named);
  if (full !== undefined) {
    // Tasks of 0.1.0 have no name, and of two servers one may have lost what was written last.
    const [known] = await glanceAt(deps, [requestKey], []);
    return known ? { created: false, taskId: known.taskId } : { created: false, full: shareAt(full) };
  }
  // '' where it was there before.
  const at = textOf(named);
  try {
    const created = await writeTask(deps, task);
    // The task was there, and lacked its name only.
    if (!created.created && at !== '') await uncount(deps, task);
    return created;
  } catch (error) {
    if (error instanceof TakenIdError && at !== '') {
      await dropName(deps, owner, { requestKey, at: Number(at) });
      await uncount(deps, task);
    }
    throw error;
  }
}

/** Takes away what naming has added. */
async function uncount(deps: StoreDeps, { owner, adds }: NewTask): Promise<void> {
  const by = Object.fromEntries(shareNames.map((share) => [share, -(adds[share] ?? 0)]));
  await changeCounts(deps, [{ owner, by }]);
}

async function writeTask(deps: StoreDeps, task: NewTask): Promise<Created> {
  const { connection, keys, heads, isCluster } = deps;
  const { taskId, requestKey, owner } = task;
  const kind = { type: escaped(task.taskType), owner: escaped(owner), state: escapedState(task.state) };
  const plan = storedPlan(task.plan, kind);
  const head: Head = {
    revision: 1,
    mark: heads.nextMark(),
    lastEventId: null,
    ended: false,
    firstRetained: 1,
    plan,
    kind,
    lanes: undefined,
  };
  const own = ['at', textOfHead(head), 'first', '1', planNames.plan, textOfPlan(plan), 'kind', textOfKind(kind)];
  const fields = [...own, ...pairsOf(task.fields, FIELD)];
  const sideValues = pairsOf(task.sideValues);
  const steps = stepsBetween(keys, taskId, undefined, head);
  const reply = await connection.run(
    deps.create,
    [keys.task(taskId), keys.sideValues(taskId), keys.request(requestKey), ...(isCluster ? [] : ownerKeys(deps, owner)), ...steps.keys],
    [
      ...[taskId, steps.text, String(fields.length), String(sideValues.length)],
      ...(isCluster ? [] : [requestKey, owner, ...sharesOf(task)]),
      ...[...fields, ...sideValues, ...steps.args],
    ],
  );
  const written = integerOf(reply);
  if (written === undefined) return { created: false, taskId: textOf(reply) };
  if (written === 0) throw new TakenIdError(taskId);
  if (written < 0) return { created: false, full: shareAt(-written) };
  heads.note(taskId, head);
  return { created: true };
}

/** What a task adds to each share, then what its owner may have of each. */
function sharesOf({ adds, sharesMax }: NewTask): string[] {
  return [...shareNames.map((share) => String(adds[share] ?? 0)), ...shareNames.map((share) => String(sharesMax[share] ?? ''))];
}

/** The share at a place that a script gave. */
function shareAt(place: number): keyof Shares {
  const share = shareNames[place - 1];
  if (!share) throw new RangeError(`Redis named share ${place}, and there is none.`);
  return share;
}
