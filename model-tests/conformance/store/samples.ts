import { randomBytes } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { eventId } from 'taskbridge/wire';
import type { Commit, Entry, Lease, LogPage, NewTask, Plan, Store, TakenTasks, TakeRequest } from 'taskbridge/server/store';
import { holds } from '../suite/claim.ts';

/** A store under test: open, and empty when it comes. */
export interface StoreUnderTest {
  readonly store: Store;
  /** Closes the store and opens it again on what it kept; absent where nothing is kept. */
  readonly reopen?: () => Promise<Store>;
  /** Opens a second store on what is kept, as another node has it. The suite closes it. Absent where a store has one process for itself. */
  readonly another?: () => Promise<Store>;
  /** Closes it, where it is still open, and clears away what it kept. */
  close(): Promise<void>;
}

/** Opens a store that nobody used before. */
export type OpenStore = () => Promise<StoreUnderTest>;

/** A limit that no sample reaches. */
export const noLimit = { facts: 10_000, bytes: 1e9 } as const;

/** A plan for a task that nobody works on and nobody looks at. */
export const atRest: Plan = { wakeAt: null, work: null };

/** A plan for a task that is due at a time. */
export const wakes = (wakeAt: number): Plan => ({ wakeAt, work: null });

/** A plan for a task whose work is wanted from a time on. */
export const wanted = (readyAt: number): Plan => ({ wakeAt: null, work: { readyAt } });

/** A plan for a task that a node holds. */
export const heldBy = (node: string): Plan => ({ wakeAt: null, work: { heldBy: node } });

/** A task that no store knows, in the bucket of its request key where one is given. */
export function sampleTask(part: Partial<NewTask> = {}, bucket = part.requestKey?.slice(0, 2) ?? randomBytes(1).toString('hex')): NewTask {
  return {
    taskId: bucket + randomBytes(15).toString('hex'),
    requestKey: bucket + randomBytes(31).toString('hex'),
    owner: 'somebody',
    taskType: 'sample',
    fields: { head: '{"state":"accepted"}' },
    sideValues: {},
    plan: atRest,
    state: 'WAITING',
    adds: {},
    sharesMax: {},
    ...part,
  };
}

/** Longer than any case. */
export const LONG_MS = 600_000;

/** What a node asks for that does all samples, has room for many and means to keep them. */
export function look(part: Partial<TakeRequest> = {}): TakeRequest {
  return { types: ['sample'], dueMax: 100, readyMax: 100, hideMs: LONG_MS, ...part };
}

/** How long a store may keep a case waiting that has no other end, in milliseconds of the store's clock. */
const WAIT_MS = 60_000;

/** Asks again and again until something is so. */
export async function eventually(store: Store, isSo: () => boolean, ask: () => Promise<void>): Promise<void> {
  const limit = (await store.now()) + WAIT_MS;
  while (!isSo()) {
    holds((await store.now()) < limit, `it did not come within ${WAIT_MS} ms`);
    await ask();
    await setImmediate();
  }
}

/** Takes until nothing more is given, and says everything in the order in which it came. Throws where something is given twice. */
export async function takeAll(store: Store, request = look()): Promise<TakenTasks> {
  const [due, ready]: [string[], string[]] = [[], []];
  for (;;) {
    const taken = await store.take(request);
    if (taken.due.length + taken.ready.length === 0) return { due, ready };
    due.push(...taken.due);
    ready.push(...taken.ready);
    holds(new Set([...due, ...ready]).size === due.length + ready.length, 'a task was given that is hidden');
  }
}

/** The leases of a node in the bucket of a task. */
export async function leasesOf(store: Store, node: string, taskId: string): Promise<Lease[]> {
  return (await store.leases()).filter((lease) => lease.node === node && (lease.bucket === '' || taskId.startsWith(lease.bucket)));
}

/** All tasks that a node holds, of all its leases, in order. */
export async function heldOf(store: Store, node: string, limit = 100): Promise<string[]> {
  const found = new Set<string>();
  for (const lease of await store.leases()) {
    if (lease.node !== node) continue;
    let after: string | undefined;
    do {
      const page = await store.held(lease, limit, after);
      for (const taskId of page.taskIds) found.add(taskId);
      after = page.next;
    } while (after !== undefined);
  }
  return [...found].sort();
}

/** A commit that changes nothing but what is said. */
export function commitOf(
  taskId: string,
  expectedRevision: number,
  part: Partial<Omit<Commit, 'taskId' | 'expectedRevision'>> = {},
): Commit {
  return { taskId, expectedRevision, facts: [], ended: false, fields: {}, sideValues: {}, plan: atRest, firstRetained: 1, ...part };
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
