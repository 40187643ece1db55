import type { Commit, Created, Fields, LoadedTask, NewTask, TaskRegistry } from '../../server/ports/index.ts';
import { refuseBrokenCommit } from '../memory/index.ts';
import type { EventId } from '../../machines/index.ts';
import type { Argument, Connection } from './connection.ts';
import { findDue, type DueContext } from './due.ts';
import { bucketOf, type Keys } from './keys.ts';
import type { Marks } from './marks.ts';
import { listOf, textOf } from './reply.ts';
import { create, kept, load, remove, type Script } from './scripts/index.ts';

/** What the verbs of the store work with. */
export interface StoreContext {
  readonly connection: Connection;
  readonly keys: Keys;
  readonly marks: Marks;
  readonly isCluster: boolean;
  readonly batch: DueContext['batch'];
  /** The script that writes a commit of this store. */
  readonly append: Script;
}

/** Fields stand in one hash with what the store itself keeps of a task. */
const FIELD = 'f:';

/** Writes a task and its request key in one step. */
export async function createTask({ connection, keys, marks }: StoreContext, task: NewTask): Promise<Created> {
  const { taskId, requestKey, dueAt } = task;
  const mark = marks.next();
  const due = dueAt === null ? '' : String(dueAt);
  const own: Argument[] = ['revision', '1', 'mark', mark, 'first', '1', 'last', '', 'ended', '0', 'due', due];
  const fields = [...own, ...pairsOf(task.fields, FIELD)];
  const keptPairs = pairsOf(task.kept);
  const reply = await connection.run(
    create,
    [keys.task(taskId), keys.kept(taskId), keys.due(bucketOf(taskId)), keys.request(requestKey)],
    [taskId, due, String(fields.length), String(keptPairs.length), ...fields, ...keptPairs],
  );
  if (reply === 0) throw new Error(`Task ${taskId} exists already under another request key. Draw another task id.`);
  if (reply !== 1) return { created: false, taskId: textOf(reply) };
  marks.note(taskId, 1, mark);
  return { created: true };
}

/** Reads all fields of a task. */
export async function loadTask({ connection, keys, marks }: StoreContext, taskId: string): Promise<LoadedTask | undefined> {
  const texts = listOf(await connection.run(load, [keys.task(taskId)])).map(textOf);
  if (texts.length === 0) return undefined;
  const fields: [string, string][] = [];
  const own = new Map<string, string>();
  for (let at = 0; at < texts.length; at += 2) {
    const [name = '', value = ''] = [texts[at], texts[at + 1]];
    if (name.startsWith(FIELD)) fields.push([name.slice(FIELD.length), value]);
    else own.set(name, value);
  }
  const revision = Number(own.get('revision'));
  marks.note(taskId, revision, own.get('mark') ?? '');
  return { revision, fields: Object.fromEntries(fields) };
}

/** Writes a commit: one script, one round trip. */
export async function appendCommit(context: StoreContext, commit: Commit): Promise<'committed' | 'conflict'> {
  const { connection, keys, marks, append } = context;
  const { taskId, expectedRevision, facts, ended, dueAt, firstRetained } = commit;
  const mark = marks.next();
  const fields = pairsOf(commit.fields, FIELD);
  const args: Argument[] = [
    String(expectedRevision),
    marks.expected(taskId, expectedRevision),
    mark,
    dueAt === null ? '' : String(dueAt),
    String(firstRetained),
    ended ? '1' : '0',
    String(facts.length),
    String(fields.length),
  ];
  for (const { eventId, bytes } of facts) args.push(eventId, bytes);
  args.push(...fields, ...pairsOf(commit.kept));
  const reply = await connection.run(append, [keys.task(taskId), keys.kept(taskId), keys.log(taskId), keys.due(bucketOf(taskId))], args);
  if (reply === 1) {
    marks.note(taskId, expectedRevision + 1, mark);
    return 'committed';
  }
  if (reply === 0) {
    marks.forget(taskId);
    return 'conflict';
  }
  const [last = '', hasEnded] = listOf(reply).map(textOf);
  // Written by `append` only.
  refuseBrokenCommit(commit, { lastEventId: last === '' ? null : (last as EventId), ended: hasEnded === '1' });
  throw new Error(`Redis did not take the facts of a commit of task ${taskId}, and does not say why.`);
}

/** The verbs of the registry. */
export function registryOf(need: () => StoreContext): TaskRegistry {
  return {
    create: async (task) => createTask(need(), task),
    load: async (taskId) => loadTask(need(), taskId),
    append: async (commit) => appendCommit(need(), commit),
    async kept(taskId, names) {
      const { connection, keys } = need();
      if (names.length === 0) return [];
      const values = listOf(await connection.run(kept, [keys.kept(taskId)], names));
      return names.map((_, i) => (values[i] == null ? undefined : textOf(values[i])));
    },
    async remove(taskId, requestKey, expectedRevision) {
      const { connection, keys, marks } = need();
      const reply = await connection.run(
        remove,
        [keys.task(taskId), keys.kept(taskId), keys.log(taskId), keys.due(bucketOf(taskId)), keys.request(requestKey)],
        [String(expectedRevision), marks.expected(taskId, expectedRevision), taskId],
      );
      marks.forget(taskId);
      return reply === 1 ? 'removed' : 'conflict';
    },
    due: async (until, limit, after) => findDue(need(), until, limit, after),
  };
}

function pairsOf(fields: Fields, prefix = ''): Argument[] {
  const pairs: Argument[] = [];
  for (const [name, value] of Object.entries(fields)) pairs.push(prefix + name, value);
  return pairs;
}
