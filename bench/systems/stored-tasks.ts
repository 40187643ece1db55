import { open } from 'lmdb';
import { inProcess } from '../../adapters/in-process/index.ts';
import { memoryStore } from '../../adapters/memory/index.ts';
import { createTaskBridge, type Commit, type NewTask, type Store } from '../../server/index.ts';

/** A task as a host left it, to be written many times. */
interface StoredTask {
  readonly task: NewTask;
  readonly commit: Omit<Commit, 'taskId' | 'expectedRevision'>;
}

/** So many that none of them is at his limit of work: 100 000 tasks are 167 at work for each. */
const OWNERS = 200;
const MAKER = 'ada';
const AT_ONCE = 500;
/** What is given up at the end of whoever makes them is what was wanted. */
const quiet = { warn: () => undefined, error: () => undefined };

/** How a task rests: its work is wanted, it waits for an answer, or it has ended. */
export type StoredKind = 'work' | 'ask' | 'end';

/** What is filled in: the first so many of a kind may be there already. */
export interface FillOptions {
  /** Defaults to 0. */
  readonly from?: number;
  /** Defaults to all of them. */
  readonly of?: readonly StoredKind[];
}

/** Fills a store with tasks up to so many of each kind. Opens and closes it. */
export async function fillOurs(
  store: Store,
  each: number,
  { from: first = 0, of = ['work', 'ask', 'end'] }: FillOptions = {},
): Promise<void> {
  const kinds = (await storedTasks()).filter(({ task }) => of.some((kind) => kind === task.taskType));
  await store.open();
  for (let from = first; from < each; from += AT_ONCE) {
    const numbers = Array.from({ length: Math.min(AT_ONCE, each - from) }, (_, i) => from + i);
    await Promise.all(kinds.flatMap((kind, at) => numbers.map((n) => writeCopy(store, kind, n * kinds.length + at))));
  }
  await store.close();
}

/** Fills a folder with as many tasks that wait, for the bare queue. */
export async function fillBare(path: string, count: number): Promise<void> {
  const rows = open<Buffer, string[]>({ path, encoding: 'binary', overlappingSync: false });
  await rows.transaction(() => {
    for (let n = 0; n < count; n += 1) {
      rows.putSync(['q', idOf(n)], Buffer.alloc(1));
      rows.putSync(['t', idOf(n)], Buffer.alloc(900, 'h'));
    }
  });
  await rows.close();
}

async function writeCopy(store: Store, { task, commit }: StoredTask, n: number): Promise<void> {
  const [taskId, requestKey, owner] = [idOf(n), idOf(n) + idOf(0), `owner-${n % OWNERS}`];
  const copied = (text: string): string =>
    text.replaceAll(task.taskId, taskId).replaceAll(task.requestKey, requestKey).replaceAll(JSON.stringify(MAKER), JSON.stringify(owner));
  const copy = (texts: NewTask['fields']) => Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, copied(text)]));
  const { plan } = commit;
  const own = { taskId, requestKey, owner, plan, fields: copy(task.fields), sideValues: copy(task.sideValues) };
  await store.create({ ...task, ...own });
  if (commit.facts.length === 0) return;
  const facts = commit.facts.map(({ eventId, bytes }) => ({ eventId, bytes: Buffer.from(copied(Buffer.from(bytes).toString())) }));
  await store.append({ ...commit, taskId, expectedRevision: 1, facts, fields: {}, sideValues: {} });
}

function idOf(n: number): string {
  // The first digits are the bucket.
  return (n % 256).toString(16).padStart(2, '0') + n.toString(16).padStart(30, '0');
}

/** One task of each kind, made by a bridge. */
async function storedTasks(): Promise<readonly StoredTask[]> {
  const store = memoryStore();
  const made = new Map<string, { task: NewTask; plan: NewTask['plan'] }>();
  const noted: Store = {
    ...store,
    async create(task) {
      const created = await store.create(task);
      if (created.created) made.set(task.taskId, { task, plan: task.plan });
      return created;
    },
    async append(commit) {
      const answer = await store.append(commit);
      const before = made.get(commit.taskId);
      if (answer === 'committed' && before) {
        const task = { ...before.task, sideValues: { ...before.task.sideValues, ...commit.sideValues } };
        made.set(commit.taskId, { task, plan: commit.plan });
      }
      return answer;
    },
  };
  const bridge = createTaskBridge({
    store: noted,
    executor: inProcess(
      {
        end: () => Promise.resolve({}),
        ask: {
          repeatable: true,
          run: (task) => task.suspend('go-on', { reasonCode: 'GO_ON', allowedActions: ['yes'] }).then(() => ({})),
        },
        fill: () => new Promise(() => undefined),
        work: { repeatable: true, run: () => Promise.resolve({}) },
      },
      { concurrencyMax: 1, logger: quiet },
    ),
    auth: () => ({ subject: MAKER }),
    logger: quiet,
  });
  await bridge.start();
  const tasks = bridge.tasks({ subject: MAKER });
  const until = { end: 'completed', ask: 'suspended', fill: 'running', work: 'accepted' } as const;
  const kinds: StoredTask[] = [];
  for (const [taskType, state] of Object.entries(until)) {
    const { taskId } = await tasks.start({ clientRequestId: taskType, taskType });
    while ((await tasks.get(taskId)).state !== state) await new Promise((resolve) => setImmediate(resolve));
    // What is owed after that commit has its turn too.
    await bridge.reconcile();
    const [found, loaded] = [made.get(taskId), await store.load(taskId)];
    const page = await store.read(taskId, 1, { facts: 100, bytes: 1e6 });
    if (!found || !loaded || !page) throw new Error(`A task of type ${taskType} was not stored.`);
    const { plan } = found;
    const commit = { plan, facts: page.entries, ended: page.ended, fields: {}, sideValues: {}, firstRetained: 1 };
    if (taskType !== 'fill') kinds.push({ task: { ...found.task, fields: loaded.fields }, commit });
  }
  await bridge.close();
  return kinds;
}
