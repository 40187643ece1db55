import { stateOf } from '../../machines/index.ts';
import type { TaskListQuery } from '../../machines/lists/index.ts';
import { limits } from '../../machines/wire/index.ts';
import { mayAccess } from '../access/ownership.ts';
import type { AuthContext, OwnershipPolicy } from '../ports/auth.ts';
import type { Name } from '../ports/owners.ts';
import type { Store } from '../ports/store.ts';
import type { TaskAbout } from '../task/about.ts';
import type { CommandProcessor } from '../task/command-processor.ts';
import type { ListStep } from '../task/service.ts';
import { nameOfText, textOfName } from './list-cursor.ts';
import { aboutIn, listedTask, stored, unlessReadable, type ListedTask } from './task-read.ts';

/** What a list is made with. */
export interface TaskListDeps {
  readonly store: Store;
  readonly processor: Pick<CommandProcessor, 'read'>;
  readonly ownership: OwnershipPolicy;
}

/** Names that are looked at at once. */
const NAMES_AT_ONCE = 100;
/** Tasks that are read at once: their inputs and results are in memory together. */
const READ_AT_ONCE = 5;

/**
 * The tasks of a caller, newest first: walks his names, which are soft, and shows the tasks that are there. Reads as it is asked on, so that nobody's
 * list is in memory as a whole.
 */
export async function* listTasks(deps: TaskListDeps, auth: AuthContext, query: TaskListQuery): AsyncGenerator<ListStep, void, undefined> {
  const isFiltered = query.type !== undefined || query.state !== undefined || query.label !== undefined;
  let after = query.after === undefined ? undefined : nameOfText(query.after);
  for (let [looked, shown, bytes] = [0, 0, 0]; ;) {
    // Where every task fits, no more of them are looked at than are shown.
    const wanted = isFiltered ? NAMES_AT_ONCE : Math.min(NAMES_AT_ONCE, query.limit - shown);
    const names = await stored(deps.store.names(auth.subject, Math.min(wanted, limits.listNamesMax - looked), after));
    if (names.length === 0) return yield { nextAfter: null };
    const fitting = await fittingNames(deps, auth, query, names);
    for (let first = 0; first < fitting.length; first += READ_AT_ONCE) {
      const some = fitting.slice(first, first + READ_AT_ONCE);
      const tasks = await Promise.all(some.map(({ taskId }) => readTask(deps, taskId, query.state)));
      for (const [nth, task] of tasks.entries()) {
        const name = some[nth]?.name;
        if (!task || !name) continue;
        yield { json: task.json, nextAfter: textOfName(name) };
        shown += 1;
        bytes += task.readBytes;
        if (shown === query.limit || bytes >= limits.listBytesMax) return;
      }
    }
    looked += names.length;
    after = names.at(-1);
    if (looked >= limits.listNamesMax && after) return yield { nextAfter: textOfName(after) };
  }
}

interface FittingName {
  readonly name: Name;
  readonly taskId: string;
}

/** The names whose tasks are what is asked for, as far as a glance tells; and those that this caller may see. */
async function fittingNames(
  { store, ownership }: TaskListDeps,
  auth: AuthContext,
  query: TaskListQuery,
  names: readonly Name[],
): Promise<readonly FittingName[]> {
  const keys = names.map(({ requestKey }) => requestKey);
  const glances = await stored(store.glance(keys, ['about']));
  const looks = names.map(async (name, nth) => {
    const glance = glances[nth];
    const about = glance && aboutIn(glance);
    // A name without a task is shown to nobody.
    if (!glance || !about || !isFitting(query, about, glance.state)) return [];
    return (await mayAccess(ownership, auth, about, 'read')) ? [{ name, taskId: glance.taskId }] : [];
  });
  return (await Promise.all(looks)).flat();
}

/** A task of 0.1.0 may have a state that the store does not know: then the task has to be read. */
function isFitting({ type, label, state }: TaskListQuery, about: TaskAbout, known: string | undefined): boolean {
  if (type !== undefined && about.taskType !== type) return false;
  if (label !== undefined && !about.labels?.includes(label)) return false;
  return state === undefined || known === undefined || known === state;
}

/** Undefined for a task that is gone, or has come to another state meanwhile. */
async function readTask(
  { store, processor }: TaskListDeps,
  taskId: string,
  state: TaskListQuery['state'],
): Promise<ListedTask | undefined> {
  const record = await processor.read(taskId).catch(unlessReadable);
  if (!record || (state !== undefined && stateOf(record.aggregate.task) !== state)) return undefined;
  return listedTask(record, store);
}
