import { createTaskBridgeClient, type TaskBridgeClient } from '../../client/node/index.ts';
import { emptyAggregate, fold, storeAggregate, type Aggregate, type Fact, type ReportIntent } from '../../machines/index.ts';
import type { Store, TaskExecutor, Work } from '../../server/index.ts';
import { storedOf } from '../law/stored-at.ts';
import type { RunningBridge } from '../server/bridge-of.ts';
import type { TaskStep } from './task-plan.ts';

/** Work that says what it is told to. */
export interface PuppetWork {
  readonly executor: TaskExecutor;
  of(taskId: string): Promise<Work>;
}

export function puppetWork(): PuppetWork {
  const works = new Map<string, Work>();
  const waiting = new Map<string, (work: Work) => void>();
  return {
    executor: {
      name: 'puppet',
      leased: false,
      handles: (type) => type === 'walk',
      repeatable: () => false,
      async start(work) {
        works.set(work.taskId, work);
        waiting.get(work.taskId)?.(work);
        return { status: 'started' };
      },
      resume: async () => undefined,
      cancel: async () => undefined,
    },
    of(taskId) {
      const work = works.get(taskId);
      return work ? Promise.resolve(work) : new Promise((resolve) => waiting.set(taskId, resolve));
    },
  };
}

/** Where tasks are walked: calls go to the doors in turn. */
export interface Ground {
  readonly doors: readonly RunningBridge[];
  readonly store: Store;
  readonly work: PuppetWork;
}

const transports = ['ws', 'sse', 'poll'] as const;
let turns = 0;
/** What does not come within this time does not come. */
const PATIENCE_MS = 5_000;

/** Takes a task along a path, and holds server, log and client against the charts after every step. */
export async function driveTask({ doors, store, work }: Ground, path: readonly TaskStep[]): Promise<void> {
  const door = (): RunningBridge => {
    turns += 1;
    const found = doors[turns % doors.length];
    if (!found) throw new Error('There is no door.');
    return found;
  };
  const taskId = await door().start('walk');
  const own = await work.of(taskId);
  const clients = transports.map((transport) => viewer(door(), taskId, transport));
  let seq = 0;
  let log: Fact[] = [];
  const names: string[] = [];
  let hasEnded = false;
  try {
    for (const { wish, to, facts, refusal } of path) {
      names.push(wish.name);
      const where = `${names.join(' → ')}`;
      const said = await happen(wish.name, door, own, taskId, () => (seq += 1), facts);
      const wanted = log.length + facts.length;
      const begun = performance.now();
      do {
        // Lets the server and the clients have their turn.
        await new Promise((resolve) => setImmediate(resolve));
        log = await door().facts(taskId);
      } while (log.length < wanted && performance.now() - begun < PATIENCE_MS);
      const news = log.slice(wanted - facts.length).map(({ type }) => type);
      expectSame(
        news,
        facts.map(({ type }) => type),
        `${where}: facts`,
      );
      // Work that ended is fenced: nobody asks the chart any more.
      if (said !== 'fenced' && said !== spoken(refusal)) throw new Error(`${where}: refused with ${String(said)}, not ${String(refusal)}`);
      if (said === 'fenced' && !hasEnded) throw new Error(`${where}: fenced before the end`);
      hasEnded = to.aggregate.task.status === 'done';
      const folded = log.reduce<Aggregate>(fold, emptyAggregate);
      expectSame(folded.task.value, to.aggregate.task.value, `${where}: the log's state`);
      expectSame(storedOf((await store.load(taskId))?.fields ?? {}), storeAggregate(folded), `${where}: what the store holds`);
      for (const client of clients) await client.at(log, folded, where);
    }
  } finally {
    await Promise.all(clients.map(({ client }) => client.close()));
  }
}

/** A refusal as the wire says it: an unknown question is no more told apart than an unknown task. */
const spoken = (refusal: string | undefined): string | undefined => (refusal === 'SUSPENSION_NOT_FOUND' ? 'TASK_NOT_FOUND' : refusal);

/** Makes a wish come true; says the code of a refusal. */
async function happen(
  name: string,
  door: () => RunningBridge,
  work: Work,
  taskId: string,
  next: () => number,
  facts: TaskStep['facts'],
): Promise<string | undefined> {
  if (name.startsWith('task.cancel')) {
    const { status } = await door().cancel(taskId, 'Enough.');
    return status === 'ALREADY_TERMINAL' ? status : undefined;
  }
  const [verb, suspendId = '', clientActionId = '', actionType = ''] = name.split(/,? /);
  if (verb === 'answers') {
    try {
      const { status } = await door().act(taskId, { suspendId, clientActionId, actionType });
      return status === 'ACCEPTED' ? undefined : status;
    } catch (error) {
      return (error as { code?: string }).code;
    }
  }
  const outcome = await work.report({ source: 'main', seq: next(), intents: [intentOf(name, suspendId, work, facts)] });
  return outcome.status === 'committed' ? outcome.refusals[0] : outcome.status;
}

const payloads: Readonly<Record<string, object>> = {
  'report.progress': { progress: 50 },
  'report.message': { message: 'Read.' },
  'report.completed': { result: { rows: 3 } },
  'report.failed': { code: 'BROKEN', message: 'It broke.', retryable: false },
};

function intentOf(name: string, suspendId: string, work: Work, facts: TaskStep['facts']): ReportIntent {
  // A payload fits its type by the tables.
  if (!name.startsWith('asks')) return { type: name, payload: payloads[name] ?? {} } as ReportIntent;
  const asked = facts.find(({ type }) => type === 'TASK_SUSPENDED');
  const payload = {
    suspendId,
    kind: 'USER_ACTION_REQUIRED',
    reasonCode: 'CHOOSE',
    allowedActions: ['keep', 'drop'],
    schemaVersion: 1,
    ...(name.includes('expires') && asked && { expiresAt: new Date(work.now() + 5).toISOString() }),
  };
  return { type: 'report.suspended', payload } as ReportIntent;
}

/** A client that follows the task, and can be asked whether it is there yet. */
function viewer(door: RunningBridge, taskId: string, transport: (typeof transports)[number]) {
  const client: TaskBridgeClient = createTaskBridgeClient({
    baseUrl: door.url,
    auth: () => ({ authorization: 'alice' }),
    transports: [transport],
    limits: { emptyPauseMs: 1, backoffBaseMs: 1 },
  });
  const observation = client.observe(taskId, { lastEventId: '' });
  const delivered: unknown[] = [];
  const reading = (async () => {
    for await (const fact of observation) delivered.push(fact);
  })();
  reading.catch(() => undefined);
  return {
    client,
    async at(log: readonly Fact[], folded: Aggregate, where: string): Promise<void> {
      const begun = performance.now();
      while (delivered.length < log.length && performance.now() - begun < PATIENCE_MS)
        await new Promise((resolve) => setImmediate(resolve));
      expectSame(delivered, log, `${where}: what came by ${transport}`);
      const { aggregate } = observation.getSnapshot().task;
      expectSame(storeAggregate(aggregate), storeAggregate(folded), `${where}: the client by ${transport}`);
    },
  };
}

function expectSame(found: unknown, wanted: unknown, where: string): void {
  const [one, other] = [JSON.stringify(sorted(found)), JSON.stringify(sorted(wanted))];
  if (one !== other) throw new Error(`${where}: ${one} is not ${other}`);
}

/** With its keys in one order. */
function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}
