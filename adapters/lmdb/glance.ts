import type { Glance, Plan } from '../../server/ports/index.ts';
import { readHead, type Head, type Rows } from './head.ts';
import { fieldKey, requestRowKey } from './keys.ts';
import { nextTurn } from './page-reads.ts';

/** Tasks that are looked at in one turn of the event loop, and how long their fields may be together. */
const TASKS_AT_ONCE = 100;
const TEXT_AT_ONCE = 1024 ** 2;

/** Looks at the tasks of request keys, each as it stands. */
export async function glanceAt(rows: Rows, requestKeys: readonly string[], fieldNames: readonly string[]): Promise<(Glance | undefined)[]> {
  const glances: (Glance | undefined)[] = [];
  let [tasks, text] = [0, 0];
  for (const requestKey of requestKeys) {
    if (tasks >= TASKS_AT_ONCE || text >= TEXT_AT_ONCE) {
      await nextTurn();
      [tasks, text] = [0, 0];
    }
    const glance = glanceAtOne(rows, requestKey, fieldNames);
    glances.push(glance);
    tasks += 1;
    text += Object.values(glance?.fields ?? {}).reduce((sum, { length }) => sum + length, 0);
  }
  return glances;
}

function glanceAtOne(rows: Rows, requestKey: string, fieldNames: readonly string[]): Glance | undefined {
  const taskId = rows.get(requestRowKey(requestKey))?.toString();
  const head = taskId === undefined ? undefined : readHead(rows, taskId);
  if (taskId === undefined || !head) return undefined;
  const fields = fieldNames.flatMap((name) => {
    const value = rows.get(fieldKey(taskId, name));
    return value ? [[name, value.toString()] as const] : [];
  });
  return { taskId, state: head.state?.name, plan: planOf(head), fields: Object.fromEntries(fields) };
}

/** 0.1.0 had one time for everything. */
function planOf({ standing }: Head): Plan {
  return 'plan' in standing ? standing.plan : { wakeAt: standing.dueAt, work: null };
}
