import { createTaskBridgeClient, type TaskBridgeClient } from '../../client/node/index.ts';
import { emptyAggregate, fold, storeAggregate, type Aggregate, type ReportIntent } from '../../machines/index.ts';
import { eventId, type Fact, type FactBody } from '../../machines/wire/index.ts';
import type { Store, TaskExecutor, Work } from '../../server/index.ts';
import { changedFields, parseTaskRecord } from '../../server/task/task-record.ts';
import { storedOf } from '../law/stored-at.ts';
import type { RunningBridge } from '../server/bridge-of.ts';
import { WAIT_MS } from '../support/patience.ts';
import { noteStep, type LevelCoverage } from './level-coverage.ts';
import { initialState, noRoom, plainReports, REFUSES, type TaskStep } from './task-plan.ts';

/** Work that says what it is told to. */
export interface ManualWork {
  readonly executor: TaskExecutor;
  of(taskId: string): Promise<Work>;
}

export function manualWork(): ManualWork {
  const works = new Map<string, Work>();
  const waiting = new Map<string, (work: Work) => void>();
  return {
    executor: {
      name: 'manual',
      leased: false,
      handles: (type) => ['walk', 'refused'].includes(type),
      repeatable: () => false,
      async start(work) {
        if (work.taskType === 'refused') return { status: 'refused', failure: noRoom };
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
export interface SystemUnderTest {
  readonly bridges: readonly RunningBridge[];
  readonly store: Store;
  readonly work: ManualWork;
}

export const transports = ['ws', 'sse', 'poll'] as const;
let turns = 0;

/** Takes a task along a path, holds server, log and client against the charts after every step, and notes what that visited. */
export async function driveTask(
  { bridges, store, work }: SystemUnderTest,
  path: readonly TaskStep[],
  covered: LevelCoverage,
): Promise<void> {
  const door = (): RunningBridge => {
    turns += 1;
    const found = bridges[turns % bridges.length];
    if (!found) throw new Error('There is no door.');
    return found;
  };
  const isRefused = path[0]?.stimulus.name === REFUSES;
  const taskId = isRefused ? await beRefused(door()) : await door().start('walk');
  const own = isRefused ? undefined : await work.of(taskId);
  const clients = transports.map((transport) => viewer(door(), taskId, transport));
  const actor = await door().bridge.actor(taskId);
  const pin = actor.subscribe(() => undefined);
  let seq = 0;
  let log: Fact[] = [];
  let moment = initialState;
  const names: string[] = [];
  let hasEnded = false;
  try {
    for (const step of path) {
      const { stimulus, to, facts, refusal } = step;
      names.push(stimulus.name);
      const where = `${names.join(' → ')}`;
      const said = stimulus.writes
        ? await writeAsAnother(store, taskId, stimulus.writes)
        : await happen(stimulus.name, { door, work: own, store, taskId, log, next: () => (seq += 1) }, facts);
      const wanted = log.length + facts.length;
      await patiently(async () => (log = await door().facts(taskId)).length >= wanted);
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
      const shown = ({ value, context }: { value: unknown; context: unknown }): unknown => ({ value, context });
      await patiently(() => sorted(shown(actor.getSnapshot())) === sorted(shown(folded.task)));
      expectSame(shown(actor.getSnapshot()), shown(folded.task), `${where}: the live actor`);
      for (const client of clients) await client.at(log, folded, where);
      noteStep(covered, moment, step);
      moment = to;
    }
  } finally {
    pin.unsubscribe();
    await Promise.all(clients.map(({ client }) => client.close()));
  }
}

/** Creates a task whose executor takes no work: the refusal names it. */
async function beRefused(door: RunningBridge): Promise<string> {
  try {
    return await door.start('refused');
  } catch (error) {
    const { details } = error as { readonly details?: { readonly taskId?: string } };
    if (details?.taskId === undefined) throw error;
    return details.taskId;
  }
}

/** Comes back when it is so, or does not come to be so. */
export async function patiently(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const begun = performance.now();
  // Lets the server and the clients have their turn.
  while (!(await isSo()) && performance.now() - begun < WAIT_MS) await new Promise((resolve) => setImmediate(resolve));
}

/** Writes facts past the charts, as a node of another make might: again where ours wrote meanwhile. */
async function writeAsAnother(store: Store, taskId: string, bodies: readonly FactBody[]): Promise<undefined> {
  for (let from = 0; from < bodies.length;) {
    const loaded = await store.load(taskId);
    if (!loaded) throw new Error('The task is gone.');
    const state = parseTaskRecord(loaded);
    let { aggregate } = state;
    const facts = bodies.slice(from, from + 100).map((body) => {
      const now = Date.now();
      const last = aggregate.lastEventId === null ? 0 : Number.parseInt(aggregate.lastEventId, 10);
      const fact = { ...body, taskId, eventId: eventId(last + 1, now), createdAt: new Date(now).toISOString() } as Fact;
      aggregate = fold(aggregate, fact);
      return { eventId: fact.eventId, bytes: Buffer.from(JSON.stringify(fact)) };
    });
    const outcome = await store.append({
      taskId,
      expectedRevision: loaded.revision,
      facts,
      ended: aggregate.task.status === 'done',
      fields: changedFields(state, aggregate, state.execution),
      sideValues: {},
      plan: { wakeAt: null, work: null },
      firstRetained: 1,
    });
    if (outcome === 'committed') from += facts.length;
  }
}

/** A refusal as the wire says it: an unknown question is no more told apart than an unknown task. */
const spoken = (refusal: string | undefined): string | undefined => (refusal === 'SUSPENSION_NOT_FOUND' ? 'TASK_NOT_FOUND' : refusal);

/** Where a stimulus comes true. */
interface Scene {
  readonly door: () => RunningBridge;
  readonly work: Work | undefined;
  readonly store: Store;
  readonly taskId: string;
  readonly log: readonly Fact[];
  readonly next: () => number;
}

/** Makes a stimulus come true; says the code of a refusal. */
async function happen(
  name: string,
  { door, work, store, taskId, log, next }: Scene,
  facts: TaskStep['facts'],
): Promise<string | undefined> {
  if (name.startsWith('task.cancel')) {
    const { status } = await door().cancel(taskId, 'Enough.');
    return status === 'ALREADY_TERMINAL' ? status : undefined;
  }
  const [verb, suspendId = '', clientActionId = '', actionType = ''] = name.split(/,? /);
  if (verb === 'answers') {
    if (name.endsWith('late')) await patiently(async () => (await store.now()) > deadlineOf(log));
    try {
      const { status } = await door().act(taskId, { suspendId, clientActionId, actionType });
      return status === 'ACCEPTED' ? undefined : status;
    } catch (error) {
      return (error as { code?: string }).code;
    }
  }
  // It is the executor that speaks, without being asked.
  if (!work) return undefined;
  const outcome = await work.report({ source: 'main', seq: next(), intents: [intentOf(name, suspendId, work, facts)] });
  return outcome.status === 'committed' ? outcome.refusals[0] : outcome.status;
}

/** When the last question has to be answered, in milliseconds. */
function deadlineOf(log: readonly Fact[]): number {
  const [expiresAt] = log
    .flatMap((fact) => (fact.type === 'TASK_SUSPENDED' && fact.payload.expiresAt ? [fact.payload.expiresAt] : []))
    .slice(-1);
  if (!expiresAt) throw new Error('Nothing was asked that has a deadline.');
  return Date.parse(expiresAt);
}

function intentOf(name: string, suspendId: string, work: Work, facts: TaskStep['facts']): ReportIntent {
  const plain = plainReports.find(({ type }) => type === name);
  if (plain) return plain;
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
      await patiently(() => delivered.length >= log.length);
      expectSame(delivered, log, `${where}: what came by ${transport}`);
      const { aggregate } = observation.getSnapshot().task;
      expectSame(storeAggregate(aggregate), storeAggregate(folded), `${where}: the client by ${transport}`);
    },
  };
}

export function expectSame(found: unknown, wanted: unknown, where: string): void {
  if (sorted(found) !== sorted(wanted)) throw new Error(`${where}: ${sorted(found)} is not ${sorted(wanted)}`);
}

/** As JSON, with the keys in one order. */
function sorted(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
