import { randomBytes } from 'node:crypto';
import { eventId } from '../../../machines/wire/index.ts';
import type { Commit, Entry, LogPage, NewTask, Store } from '../../../server/ports/index.ts';

/** A store under test: open, and empty when it comes. */
export interface StoreUnderTest {
  readonly store: Store;
  /** Closes the store and opens it again on what it kept; absent where nothing is kept. */
  readonly reopen?: () => Promise<Store>;
  /** Closes it, where it is still open, and clears away what it kept. */
  close(): Promise<void>;
}

/** Opens a store that nobody used before. */
export type OpenStore = () => Promise<StoreUnderTest>;

/** A limit that no sample reaches. */
export const noLimit = { facts: 10_000, bytes: 1e9 } as const;

/** A task that no store knows; where a request key is given, in the bucket of that key. */
export function sampleTask(part: Partial<NewTask> = {}): NewTask {
  const bucket = part.requestKey?.slice(0, 2) ?? randomBytes(1).toString('hex');
  return {
    taskId: bucket + randomBytes(15).toString('hex'),
    requestKey: bucket + randomBytes(31).toString('hex'),
    fields: { head: '{"state":"accepted"}' },
    sideValues: {},
    dueAt: null,
    ...part,
  };
}

/** A commit that changes nothing but what is said. */
export function commitOf(
  taskId: string,
  expectedRevision: number,
  part: Partial<Omit<Commit, 'taskId' | 'expectedRevision'>> = {},
): Commit {
  return { taskId, expectedRevision, facts: [], ended: false, fields: {}, sideValues: {}, dueAt: null, firstRetained: 1, ...part };
}

/** The `n`th fact of a task. */
export function factOf(taskId: string, n: number, { ms = 1_790_000_000_000 + n, message = `fact ${n}` } = {}): Entry {
  const id = eventId(n, ms);
  const envelope = { type: 'TASK_MESSAGE', taskId, eventId: id, createdAt: new Date(ms).toISOString(), payload: { message } };
  return { eventId: id, bytes: new TextEncoder().encode(JSON.stringify(envelope)) };
}

/** Facts number `from` to `to`. */
export function factsOf(taskId: string, from: number, to: number): Entry[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => factOf(taskId, from + i));
}

/** Creates a task with that many facts, one commit each; its revision is one above. */
export async function taskWithFacts(store: Store, count: number): Promise<NewTask> {
  const task = sampleTask();
  await store.create(task);
  for (let n = 1; n <= count; n += 1) await store.append(commitOf(task.taskId, n, { facts: [factOf(task.taskId, n)] }));
  return task;
}

/** Ids and texts, to compare pages whatever kind of byte array a store gives. */
export function legible(entries: readonly Entry[]): [string, string][] {
  return entries.map(({ eventId: id, bytes }) => [id, Buffer.from(bytes).toString('latin1')]);
}

/** The whole of a log; throws for an unknown task. */
export async function readAll(store: Store, taskId: string): Promise<LogPage> {
  const page = await store.read(taskId, 1, noLimit);
  if (!page) throw new Error(`There is no task ${taskId}.`);
  return page;
}
