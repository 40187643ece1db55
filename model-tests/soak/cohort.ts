import { createTaskBridgeClient, TaskBridgeClientError } from 'taskbridge/client/node';
import type { Fact } from 'taskbridge/wire';
import { checkRun, type CheckResult } from '../chaos/checker.ts';
import { runClient, type ClientsShared } from '../chaos/chaos-client.ts';
import { quiesce } from '../chaos/quiesce.ts';
import { emptyRunRecord, type RunRecord } from '../chaos/run-record.ts';
import { WorkRecord } from '../chaos/work-record.ts';
import { patience } from '../support/patience.ts';
import type { SeededRandom } from '../support/seeded-random.ts';

/** What everybody of one cohort is told. */
export interface CohortOptions {
  readonly nth: number;
  readonly baseUrl: string;
  readonly random: SeededRandom;
  readonly clients: number;
  /** How long it begins anything. */
  readonly forMs: number;
  readonly settleMs: number;
  readonly leaseMs: number;
}

/** The people of one minute, with owners of their own: what they were told is judged when all of it has ended, and then forgotten. */
export interface Cohort {
  readonly work: WorkRecord;
  readonly record: RunRecord;
  /** Resolves when nothing new is begun. */
  readonly begun: Promise<void>;
  readonly checked: Promise<CheckResult>;
}

const TRANSPORTS = ['ws', 'sse', 'poll', undefined] as const;
const CLIENTS_PER_OWNER = 3;
const ONCE_SHARE = 0.25;
/** One that begins something, sees its end and never comes again. */
const VISITOR_EVERY_MS = 2000;
const VISIT_MS = 300;
/** Tasks that are read again at once, at the end. */
const READS = 8;
const READ_MS = patience(20_000);

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Lets a cohort live. */
export function startCohort(options: CohortOptions): Cohort {
  const { nth, baseUrl, random, clients, forMs, settleMs, leaseMs } = options;
  const record = emptyRunRecord();
  const work = new WorkRecord();
  let isOver = false;
  const sharedUntil = (over: () => boolean): ClientsShared => ({ record, onceShare: ONCE_SHARE, isOver: over, begun: [] });
  const shared = sharedUntil(() => isOver);
  const living = Array.from({ length: clients }, (_, at) => {
    const owner = `owner-${nth}-${Math.floor(at / CLIENTS_PER_OWNER)}`;
    const transport = TRANSPORTS[at % TRANSPORTS.length];
    return runClient({ name: `c${nth}-${at}`, owner, baseUrl, transport, random: random.for(`client ${at}`) }, shared);
  });
  const begun = (async () => {
    for (let at = 0; at < forMs / VISITOR_EVERY_MS; at += 1) {
      const name = `v${nth}-${at}`;
      let hasBegun = false;
      const visitor = { name, owner: name, baseUrl, transport: TRANSPORTS[at % TRANSPORTS.length], random: random.for(name) };
      living.push(
        runClient(
          visitor,
          sharedUntil(() => hasBegun),
        ),
      );
      await pause(VISIT_MS);
      hasBegun = true;
      await pause(VISITOR_EVERY_MS - VISIT_MS);
    }
    isOver = true;
  })();
  const checked = (async () => {
    await begun;
    const until = performance.now() + settleMs;
    await quiesce(record, baseUrl, settleMs);
    await Promise.race([Promise.all(living), pause(Math.max(1000, until - performance.now()))]);
    // Calls that were on their way when their tasks ended.
    await quiesce(record, baseUrl, 1000);
    return checkRun(record, await logsOf(record, baseUrl), { record: work, leaseMs });
  })();
  return { work, record, begun, checked };
}

/** What the host has of each task, as somebody reads it who was never there. */
async function logsOf({ creations }: RunRecord, baseUrl: string): Promise<Map<string, readonly Fact[]>> {
  const logs = new Map<string, readonly Fact[]>();
  const left = creations.flatMap(({ owner, taskIds }) => [...taskIds].map((taskId) => ({ owner, taskId })));
  const reader = async (): Promise<void> => {
    for (let task = left.pop(); task; task = left.pop()) {
      const { owner, taskId } = task;
      const client = createTaskBridgeClient({ baseUrl, auth: () => owner });
      const facts: Fact[] = [];
      try {
        // All types are known: both sides are of today.
        for await (const fact of client.observe(taskId, { lastEventId: '', signal: AbortSignal.timeout(READ_MS) }))
          facts.push(fact as Fact);
      } catch (error) {
        // Of one that is gone, or has no end, there is only so much: the judge says so.
        if (!(error instanceof TaskBridgeClientError)) throw error;
      } finally {
        if (facts.length > 0) logs.set(taskId, facts);
        await client.close();
      }
    }
  };
  await Promise.all(Array.from({ length: READS }, reader));
  return logs;
}
