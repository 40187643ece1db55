import { parseEventId } from '../../machines/wire/index.ts';
import type { Commit, Created, Fields, LoadedTask, NewTask, TaskRegistry } from '../../server/ports/index.ts';
import { refuseBrokenCommit } from '../memory/index.ts';
import type { Appended, Appender } from './appender.ts';
import type { Argument, RedisConnection } from './connection.ts';
import type { BucketCalls } from './calls.ts';
import { headNames, parseHead, textOfHead, type Head, type Heads } from './heads.ts';
import { bucketOf, type Keys } from './keys.ts';
import { kindOf, planNames, stepsBetween, stepsIfLease, storedPlan, textOfPlan } from './plans.ts';
import { listOf, integerOf, textOf } from './reply.ts';
import type { Taker } from './work-queue.ts';
import { create, fields as readFields, load, remove, sideValues } from './scripts/index.ts';

/** What the verbs of the store work with. */
export interface StoreDeps {
  readonly connection: RedisConnection;
  readonly keys: Keys;
  readonly heads: Heads;
  readonly isCluster: boolean;
  readonly calls: BucketCalls;
  readonly take: Taker;
  readonly append: Appender;
}

/** Fields stand in one hash with what the store itself keeps of a task. */
const FIELD = 'f:';

/** Writes a task and its request key in one step. */
export async function writeNewTask({ connection, keys, heads }: StoreDeps, task: NewTask): Promise<Created> {
  const { taskId, requestKey } = task;
  const kind = kindOf(task.taskType, task.owner);
  const plan = storedPlan(task.plan, kind);
  const head: Head = { revision: 1, mark: heads.nextMark(), lastEventId: null, ended: false, firstRetained: 1, plan, kind };
  const own = ['at', textOfHead(head), 'first', '1', planNames.plan, textOfPlan(plan), planNames.kind, kind];
  const fields = [...own, ...pairsOf(task.fields, FIELD)];
  const sideValuePairs = pairsOf(task.sideValues);
  const steps = stepsBetween(keys, { taskId, kind }, undefined, plan);
  const reply = await connection.run(
    create,
    [keys.task(taskId), keys.sideValues(taskId), keys.request(requestKey), ...steps.keys],
    [taskId, steps.text, String(fields.length), String(sideValuePairs.length), ...fields, ...sideValuePairs, ...steps.args],
  );
  const written = integerOf(reply);
  if (written === undefined) return { created: false, taskId: textOf(reply) };
  if (written === 0) throw new Error(`Task ${taskId} exists already under another request key. Draw another task id.`);
  heads.note(taskId, head);
  return { created: true };
}

/** Reads all fields of a task. */
export async function loadTask({ connection, keys, heads }: StoreDeps, taskId: string): Promise<LoadedTask | undefined> {
  const texts = listOf(await connection.run(load, [keys.task(taskId)])).map(textOf);
  const fields: [string, string][] = [];
  const own = new Map<string, string>();
  for (let at = 0; at < texts.length; at += 2) {
    const [name = '', value = ''] = [texts[at], texts[at + 1]];
    if (name.startsWith(FIELD)) fields.push([name.slice(FIELD.length), value]);
    else own.set(name, value);
  }
  const head = parseHead(headNames.map((name) => own.get(name)));
  if (!head) return undefined;
  heads.note(taskId, head);
  return { revision: head.revision, fields: Object.fromEntries(fields) };
}

/** The head at a revision, as this node knows it or as Redis has it; undefined where the task is gone or at another revision. */
async function headAt({ connection, keys, heads }: StoreDeps, taskId: string, revision: number): Promise<Head | undefined> {
  const known = heads.known(taskId, revision);
  if (known) return known;
  const values = listOf(await connection.run(readFields, [keys.task(taskId)], headNames));
  const head = parseHead(values.map((value) => (value === null ? undefined : textOf(value))));
  return head?.revision === revision ? head : undefined;
}

/** Writes a commit: one script, one round trip. */
export async function appendCommit(deps: StoreDeps, commit: Commit): Promise<Appended> {
  const { keys, heads, isCluster, append } = deps;
  const { taskId, expectedRevision, facts, ifLease } = commit;
  const before = heads.known(taskId, expectedRevision) ?? (await headAt(deps, taskId, expectedRevision));
  if (!before) return 'conflict';
  refuseBrokenCommit(commit, before);
  const after = headAfter(commit, before, heads.nextMark());
  const drops = after.firstRetained > before.firstRetained;
  const fields = [...pairsOf(commit.fields, FIELD), ...planFields(before, after)];
  const sideValuePairs = pairsOf(commit.sideValues);
  if (drops) fields.push('first', String(after.firstRetained));
  const planned = stepsBetween(keys, { taskId, kind: before.kind }, before.plan, after.plan);
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
  return answer;
}

/** The plan's own fields in a task's hash, where they change. */
function planFields({ plan: before }: Head, { plan }: Head): string[] {
  if (plan.isDated) return plan.wakeAt === before.wakeAt ? [] : [planNames.due, plan.wakeAt === null ? '' : String(plan.wakeAt)];
  const text = textOfPlan(plan);
  return !before.isDated && text === textOfPlan(before) ? [] : [planNames.plan, text];
}

function headAfter({ facts, ended, plan, firstRetained }: Commit, before: Head, mark: string): Head {
  const lastEventId = facts.at(-1)?.eventId ?? before.lastEventId;
  const beyond = (lastEventId === null ? 0 : (parseEventId(lastEventId)?.n ?? 0)) + 1;
  return {
    revision: before.revision + 1,
    mark,
    lastEventId,
    ended: before.ended || ended,
    firstRetained: Math.max(before.firstRetained, Math.min(firstRetained, beyond)),
    plan: storedPlan(plan, before.kind, before.plan),
    kind: before.kind,
  };
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
    async remove(taskId, requestKey, expectedRevision) {
      const deps = need();
      const { connection, keys, heads } = deps;
      const head = await headAt(deps, taskId, expectedRevision);
      if (!head) return 'conflict';
      const steps = stepsBetween(keys, { taskId, kind: head.kind }, head.plan);
      const reply = await connection.run(
        remove,
        [keys.task(taskId), keys.sideValues(taskId), keys.log(taskId), keys.request(requestKey), ...steps.keys],
        [textOfHead(head), taskId, steps.text, ...steps.args],
      );
      heads.forget(taskId);
      return integerOf(reply) === 1 ? 'removed' : 'conflict';
    },
  };
}

function pairsOf(fields: Fields, prefix = ''): string[] {
  const pairs: string[] = [];
  for (const [name, value] of Object.entries(fields)) pairs.push(prefix + name, value);
  return pairs;
}
