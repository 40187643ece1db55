import { parseHead, type Head } from './head.ts';
import { isJson } from './json.ts';
import { taskIdOf, type RowKey } from './keys.ts';
import { createLaneCheck } from './lane-check.ts';
import { createNameCheck } from './name-check.ts';
import { entriesOf } from './plan.ts';
import { stateEntry } from './states.ts';

/** What was found in the rows of a store. */
export interface RowReport {
  readonly tasks: number;
  readonly facts: number;
  /** Lanes of parts, open or kept. */
  readonly lanes: number;
  /** Names that lead to no task. No fault: whoever meets one forgets it. */
  readonly names: number;
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
/** Lists of tasks that wait for something, or are in a state; a task's head says under which it stands. */
const lists: readonly unknown[] = ['c', 's', 'q', 'n', 'd', 'p'];
/** Names of tasks, and owners. */
const owned: readonly unknown[] = ['a', 'b', 'u'];
/** Rows that say nothing of one task. */
const others: readonly unknown[] = ['i', 'm', 'o', 'v', 'y'];

/** Makes a check of what one row says of another: facts and bytes of lanes without a gap, a head that knows the newest, keys, times, states and names that lead to a task. */
export function createRowCheck(): RowCheck {
  const faults: string[] = [];
  const entries = new Map<string, Set<string>>();
  const requests = new Map<string, string>();
  const names = createNameCheck();
  const laneCheck = createLaneCheck();
  let [faultCount, tasks, facts, lanes, unknown] = [0, 0, 0, 0, 0];
  let task: Task | undefined;

  function fault(line: string): void {
    faultCount += 1;
    if (faults.length < FAULTS_MAX) faults.push(line);
  }

  function takeTaskRow(key: RowKey, value: Buffer): void {
    const [, id = '', kind, n, eventId] = key;
    if (task?.id !== id) {
      endTask();
      task = { id: String(id), head: undefined, first: undefined, last: undefined, lastEventId: null };
      tasks += 1;
    }
    if (kind === 'h') task.head = headOf(value);
    if (laneCheck.take(key, value) || kind !== 'l') return;
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
    const found = entries.get(id) ?? new Set();
    entries.delete(id);
    const seen = laneCheck.endTask(id, head);
    seen.faults.forEach(fault);
    lanes += seen.lanes;
    if (!head) return fault(`Task ${id} has rows and no head.`);
    if (last !== undefined && lastEventId !== head.lastEventId)
      fault(`Task ${id} ends with ${lastEventId}, and its head says ${head.lastEventId}.`);
    if (first !== undefined && first !== head.firstRetained)
      fault(`Task ${id} begins with fact ${first}, and its head says ${head.firstRetained}.`);
    const listed = [...entriesOf(id, head.standing), stateEntry(id, head)].filter((entry) => entry !== undefined);
    const planned = new Set(listed.map((entry) => JSON.stringify(entry)));
    for (const entry of found) if (!planned.has(entry)) fault(`Task ${id} stands under ${entry}, and its head says otherwise.`);
    for (const entry of planned) if (!found.has(entry)) fault(`Task ${id} does not stand under ${entry}, and its head says so.`);
    if (requests.get(head.requestKey) !== id) fault(`Task ${id} is not found by its request key.`);
    requests.delete(head.requestKey);
    const ownerMark = 'kind' in head.standing ? (head.standing.kind?.ownerMark ?? null) : null;
    names.task(id, head.requestKey, ownerMark).forEach(fault);
  }

  return {
    take(key, value) {
      const [kind, name = ''] = key;
      if (kind === 't') return takeTaskRow(key, value);
      if (lists.includes(kind)) entries.set(taskIdOf(key), (entries.get(taskIdOf(key)) ?? new Set()).add(JSON.stringify(key)));
      else if (owned.includes(kind)) names.take(key, value);
      else if (kind === 'r') requests.set(String(name), value.toString());
      else if (!others.includes(kind)) unknown += 1;
    },
    finish() {
      endTask();
      for (const id of entries.keys()) fault(`Task ${id} stands in a list, and is not there.`);
      for (const id of requests.values()) fault(`A request key leads to task ${id}, which is not there.`);
      const left = names.finish();
      left.faults.forEach(fault);
      return { tasks, facts, lanes, names: left.withoutTask, others: unknown, faultCount, faults };
    },
  };
}

function headOf(value: Buffer): Head | undefined {
  // What is no JSON is no head.
  return isJson(value) ? parseHead(value) : undefined;
}
