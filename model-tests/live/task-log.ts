import { eventId, type EventId } from '../../machines/wire/index.ts';
import type { Entry, Store } from '../../server/ports/index.ts';
import { atRest } from '../conformance/store/samples.ts';

/** A task that a test writes into a store by hand. */
export interface TaskLog {
  readonly taskId: string;
  /** What was written so far. */
  readonly ids: readonly EventId[];
  /** Appends that many facts in one commit, each with that many bytes of text. */
  append(count?: number, options?: { readonly textBytes?: number; readonly keepLast?: number }): Promise<void>;
  /** Appends the terminal fact. */
  end(): Promise<void>;
}

let tasks = 0;

/** Creates a task in the store. */
export async function taskLog(store: Store, msOf: (n: number) => number = (n) => 1_800_000_000_000 + n): Promise<TaskLog> {
  tasks += 1;
  const taskId = tasks.toString(16).padStart(32, '0');
  const requestKey = tasks.toString(16).padStart(64, '0');
  const shares = { state: 'accepted', adds: {}, sharesMax: {} };
  await store.create({ taskId, requestKey, owner: 'ann', taskType: 'work', fields: {}, sideValues: {}, plan: atRest, ...shares });
  let revision = 1;
  const ids: EventId[] = [];

  async function commit(facts: readonly Entry[], ended: boolean, keepLast = Infinity): Promise<void> {
    ids.push(...facts.map(({ eventId: id }) => id));
    const firstRetained = Math.max(1, ids.length - keepLast + 1);
    const expectedRevision = revision;
    revision += 1;
    const outcome = await store.append({ taskId, expectedRevision, facts, ended, fields: {}, sideValues: {}, plan: atRest, firstRetained });
    if (outcome !== 'committed') throw new Error(`The commit of task ${taskId} met a conflict.`);
  }

  return {
    taskId,
    ids,
    append(count = 1, { textBytes = 20, keepLast } = {}) {
      const from = ids.length + 1;
      const facts = Array.from({ length: count }, (_, index) => fact(taskId, from + index, msOf(from + index), 'TASK_MESSAGE', textBytes));
      return commit(facts, false, keepLast);
    },
    end() {
      const n = ids.length + 1;
      return commit([fact(taskId, n, msOf(n), 'TASK_COMPLETED', 2)], true);
    },
  };
}

function fact(taskId: string, n: number, ms: number, type: 'TASK_MESSAGE' | 'TASK_COMPLETED', textBytes: number): Entry {
  const payload = type === 'TASK_MESSAGE' ? { message: 'ä'.padEnd(textBytes - 1, 'x') } : { result: null };
  const id = eventId(n, ms);
  return { eventId: id, bytes: Buffer.from(JSON.stringify({ type, taskId, eventId: id, createdAt: '2027-01-15T08:00:00.000Z', payload })) };
}
