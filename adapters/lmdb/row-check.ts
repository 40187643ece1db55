import type { Head } from './head.ts';
import type { RowKey } from './keys.ts';

/** What was found in the rows of a store. */
export interface RowReport {
  readonly tasks: number;
  readonly facts: number;
  /** Rows under letters that are not known here. */
  readonly others: number;
  readonly faultCount: number;
  /** The first of them, each a line. */
  readonly faults: readonly string[];
}

/** Takes every row, in the order of the keys. */
export interface RowCheck {
  take(key: RowKey, value: Buffer): void;
  finish(): RowReport;
}

/** What is seen of one task: its rows lie side by side. */
interface Task {
  readonly id: string;
  head: Head | undefined;
  first: number | undefined;
  last: number | undefined;
  lastEventId: string | null;
}

/** So many faults are told. */
const FAULTS_MAX = 20;

/** Makes a check of what one row says of another: facts without a gap, a head that knows the newest, keys and times that lead to a task. */
export function createRowCheck(): RowCheck {
  const faults: string[] = [];
  const due = new Map<string, number>();
  const requests = new Map<string, string>();
  let [faultCount, tasks, facts, others] = [0, 0, 0, 0];
  let task: Task | undefined;

  function fault(line: string): void {
    faultCount += 1;
    if (faults.length < FAULTS_MAX) faults.push(line);
  }

  function takeTaskRow([, id = '', kind, n, eventId]: RowKey, value: Buffer): void {
    if (task?.id !== id) {
      endTask();
      task = { id: String(id), head: undefined, first: undefined, last: undefined, lastEventId: null };
      tasks += 1;
    }
    if (kind === 'h') task.head = headOf(value);
    if (kind !== 'l') return;
    facts += 1;
    if (task.last !== undefined && n !== task.last + 1) fault(`Task ${id} has fact ${String(n)} after fact ${task.last}.`);
    task.first ??= Number(n);
    task.last = Number(n);
    task.lastEventId = String(eventId);
    if (!isJson(value)) fault(`Task ${id} has a fact ${String(n)} that is no JSON.`);
  }

  function endTask(): void {
    if (!task) return;
    const { id, head, first, last, lastEventId } = task;
    const dueAt = due.get(id) ?? null;
    due.delete(id);
    if (!head) return fault(`Task ${id} has rows and no head.`);
    if (last !== undefined && lastEventId !== head.lastEventId)
      fault(`Task ${id} ends with ${lastEventId}, and its head says ${head.lastEventId}.`);
    if (first !== undefined && first !== head.firstRetained)
      fault(`Task ${id} begins with fact ${first}, and its head says ${head.firstRetained}.`);
    if (dueAt !== head.dueAt) fault(`Task ${id} is due at ${dueAt}, and its head says ${head.dueAt}.`);
    if (requests.get(head.requestKey) !== id) fault(`Task ${id} is not found by its request key.`);
    requests.delete(head.requestKey);
  }

  return {
    take(key, value) {
      const [kind, name = ''] = key;
      if (kind === 't') return takeTaskRow(key, value);
      if (kind === 'd') due.set(String(key[2]), Number(name));
      else if (kind === 'r') requests.set(String(name), value.toString());
      else if (kind !== 'o') others += 1;
    },
    finish() {
      endTask();
      for (const id of due.keys()) fault(`A time is due for task ${id}, which is not there.`);
      for (const id of requests.values()) fault(`A request key leads to task ${id}, which is not there.`);
      return { tasks, facts, others, faultCount, faults };
    },
  };
}

function headOf(value: Buffer): Head | undefined {
  // Written by `writeHead` only; what is no JSON is no head.
  return isJson(value) ? (JSON.parse(value.toString()) as Head) : undefined;
}

function isJson(value: Buffer): boolean {
  try {
    JSON.parse(value.toString());
    return true;
  } catch {
    return false;
  }
}
