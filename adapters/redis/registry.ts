import { parseEventId } from '../../machines/wire/index.ts';
import type { Commit, TaskRegistry } from '../../server/ports/index.ts';
import { refuseBrokenCommit, type LanesBefore } from '../memory/index.ts';
import type { Argument } from './connection.ts';
import { writeNewTask } from './creation.ts';
import type { StoreDeps } from './deps.ts';
import { FIELD, pairsOf } from './fields.ts';
import { headAt, textOfHead, type Head } from './heads.ts';
import { bucketOf } from './keys.ts';
import { escapedState, textOfKind } from './kind.ts';
import { openLanesAfter, stepsWithLanes, textOfOpenLanes } from './lane-record.ts';
import { loadTask } from './loads.ts';
import { planNames, stepsBetween, stepsIfLease, storedPlan, textOfPlan } from './plans.ts';
import { removeTask } from './removal.ts';
import { listOf, textOf } from './reply.ts';
import { sideValues } from './scripts/index.ts';

/** Writes a commit: one script, one round trip. */
export async function appendCommit(deps: StoreDeps, commit: Commit): Promise<'committed' | 'conflict' | 'lease changed'> {
  const { keys, heads, isCluster, append } = deps;
  const { taskId, expectedRevision, facts, ifLease, lanes } = commit;
  const before = heads.known(taskId, expectedRevision) ?? (await headAt(deps, taskId, expectedRevision));
  if (!before) return 'conflict';
  refuseBrokenCommit(commit, before, lanesBefore(before));
  const after = headAfter(commit, before, heads.nextMark());
  const drops = after.firstRetained > before.firstRetained;
  const fields = [...pairsOf(commit.fields, FIELD), ...planFields(before, after), ...kindFields(before, after)];
  const sideValuePairs = pairsOf(commit.sideValues);
  if (drops) fields.push('first', String(after.firstRetained));
  if (after.lanes && after.lanes !== before.lanes) fields.push('lanes', textOfOpenLanes(after.lanes));
  const moved = stepsBetween(keys, taskId, before, after);
  const planned = lanes ? stepsWithLanes(keys, taskId, lanes, moved) : moved;
  const steps = ifLease ? stepsIfLease(keys, taskId, ifLease, planned) : planned;
  const args: Argument[] = [
    textOfHead(before),
    textOfHead(after),
    drops ? String(commit.firstRetained) : '',
    steps.text,
    String(facts.length),
    String(fields.length),
    String(sideValuePairs.length),
  ];
  for (const { eventId, bytes } of facts) args.push(eventId, bytes);
  args.push(...fields, ...sideValuePairs, ...steps.args);
  const taskKeys = [keys.task(taskId), keys.log(taskId), keys.sideValues(taskId), ...steps.keys];
  const answer = await append({ group: isCluster ? bucketOf(taskId) : '', keys: taskKeys, args });
  if (answer === 'committed') heads.note(taskId, after);
  if (answer === 'conflict') heads.forget(taskId);
  if (answer === 'lane there') throw new Error(`A commit of task ${taskId} opens a lane that is there already, and is closed.`);
  return answer;
}

/** Of closed ones the script knows. */
function lanesBefore({ lanes = [] }: Head): LanesBefore {
  return { standing: (lane) => (lanes.includes(lane) ? 'open' : undefined), openCount: lanes.length };
}

/** The plan's own fields in a task's hash, where they change. */
function planFields({ plan: before }: Head, { plan }: Head): string[] {
  if (plan.isDated) return plan.wakeAt === before.wakeAt ? [] : [planNames.due, plan.wakeAt === null ? '' : String(plan.wakeAt)];
  const text = textOfPlan(plan);
  return !before.isDated && text === textOfPlan(before) ? [] : [planNames.plan, text];
}

/** The kind of a task, where its state changes. */
function kindFields({ kind: before }: Head, { kind }: Head): string[] {
  return kind && kind !== before ? ['kind', textOfKind(kind)] : [];
}

function headAfter({ facts, ended, plan, firstRetained, state, lanes }: Commit, before: Head, mark: string): Head {
  const lastEventId = facts.at(-1)?.eventId ?? before.lastEventId;
  const beyond = (lastEventId === null ? 0 : (parseEventId(lastEventId)?.n ?? 0)) + 1;
  return {
    revision: before.revision + 1,
    mark,
    lastEventId,
    ended: before.ended || ended,
    firstRetained: Math.max(before.firstRetained, Math.min(firstRetained, beyond)),
    plan: storedPlan(plan, before.kind, before.plan),
    kind: kindAfter(state, before),
    lanes: openLanesAfter(before.lanes, lanes),
  };
}

/** Of a task of 0.1.0 nobody has told the store the type: it is in no list. */
function kindAfter(given: string | undefined, { kind }: Head): Head['kind'] {
  if (!kind || given === undefined) return kind;
  const state = escapedState(given);
  return state === kind.state ? kind : { ...kind, state };
}

/** The verbs of the registry. */
export function registryOf(need: () => StoreDeps): TaskRegistry {
  return {
    create: async (task) => writeNewTask(need(), task),
    load: async (taskId) => loadTask(need(), taskId),
    append: async (commit) => appendCommit(need(), commit),
    async sideValues(taskId, names) {
      const { connection, keys } = need();
      if (names.length === 0) return [];
      const values = listOf(await connection.run(sideValues, [keys.sideValues(taskId)], names));
      return names.map((_, i) => (values[i] == null ? undefined : textOf(values[i])));
    },
    remove: async (taskId, requestKey, expectedRevision) => removeTask(need(), taskId, requestKey, expectedRevision),
  };
}
