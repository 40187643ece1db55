import {
  createTaskBridgeClient,
  isFact,
  TaskBridgeClientError,
  type CheckpointStore,
  type TaskBridgeClient,
  type TransportName,
} from 'taskbridge/client/node';
import type { Fact, UnknownFact } from 'taskbridge/wire';
import type { SeededRandom } from '../support/seeded-random.ts';
import { generateJob } from './job.ts';
import type { Creation, RunRecord, SentAction, ClientLife, Viewing } from './run-record.ts';

/** What clients share. */
export interface ClientsShared {
  readonly record: RunRecord;
  /** How many of the tasks may not be repeated. */
  readonly onceShare: number;
  /** True once nothing new is begun. */
  readonly isOver: () => boolean;
  /** Tasks that others began, to be joined. */
  readonly begun: { readonly owner: string; readonly taskId: string }[];
}

/** One client: a client that comes and goes, and finds its checkpoints again. */
export interface ChaosClientOptions {
  readonly name: string;
  readonly owner: string;
  readonly baseUrl: string;
  /** Undefined for all, with falls and climbs. */
  readonly transport: TransportName | undefined;
  readonly random: SeededRandom;
  /** Its first task waits in silence until the run is over. Absent for no. */
  readonly lasts?: boolean;
}

/** Times are short, so that a minute holds many losses. */
const limits = {
  openMs: 3000,
  livenessMs: 4000,
  pollWaitMs: 3000,
  pollGraceMs: 2000,
  emptyPauseMs: 50,
  backoffBaseMs: 50,
  backoffMaxMs: 500,
  climbIntervalMs: 1500,
  commandTimeoutMs: 4000,
  commandRetriesMax: 4,
} as const;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A store that outlives its clients; what is written after `tear` is lost, as with a process that ended. */
function keptCheckpoints(texts: Map<string, string>): CheckpointStore & { tear(): void } {
  let isTorn = false;
  return {
    read: async (key) => texts.get(key),
    write: async (key, text) => void (isTorn || texts.set(key, text)),
    remove: async (key) => void (isTorn || texts.delete(key)),
    tear: () => void (isTorn = true),
  };
}

/** What a call came to: its answer's status, the code of a refusal, or `unknown` where it cannot be told. */
export async function outcomeOf(call: Promise<{ readonly status: string }>): Promise<string> {
  try {
    return (await call).status;
  } catch (error) {
    if (!(error instanceof TaskBridgeClientError)) throw error;
    return error.retryable || error.status === undefined || error.status >= 500 ? 'unknown' : error.code;
  }
}

/** Lives until everything that it watches has ended. */
export async function runClient(
  { name, owner, baseUrl, transport, random, lasts = false }: ChaosClientOptions,
  shared: ClientsShared,
): Promise<void> {
  const { record } = shared;
  const texts = new Map<string, string>();
  const watched: Viewing[] = [];
  let made = 0;

  while (!shared.isOver() || watched.length > 0) {
    const checkpoints = keptCheckpoints(texts);
    const client = createTaskBridgeClient({
      baseUrl,
      checkpoints,
      limits,
      auth: () => owner,
      ...(transport !== undefined && { transports: [transport] }),
      onReport: (report) => {
        if (report.type !== 'gap') return;
        record.gaps.push({ viewer: name, taskId: report.taskId, reason: report.reason });
        const stay = watched.find(({ taskId }) => taskId === report.taskId)?.stays.at(-1);
        if (stay && report.reason === 'reset') stay.resets = (stay.resets ?? 0) + 1;
      },
      listener: {
        onPollEvent: () => void (record.brought.poll += 1),
        onSseEvent: () => void (record.brought.sse += 1),
        onWsRawMessage: ({ text }) => void (text.startsWith('{"type":"TASK_') && (record.brought.ws += 1)),
      },
    });
    record.lives += 1;
    const life = { client, isLeaving: false };
    while (!shared.isOver() && watched.filter((viewing) => !isAbsent(viewing)).length < 2) {
      const taskId = await join();
      if (taskId === undefined) break;
      const viewing: Viewing = { viewer: name, owner, taskId, stays: [] };
      record.viewings.push(viewing);
      watched.push(viewing);
    }
    // Whoever was told that it is not there looks again, now and then and at the end.
    const now = watched.filter((viewing) => shared.isOver() || !isAbsent(viewing) || random.odds(0.3));
    const watching = Promise.all(now.map((viewing) => watch(viewing, life)));
    const isTorn = random.odds(0.4);
    await (shared.isOver() ? watching : Promise.race([watching, pause(random.between(500, 8000))]));
    life.isLeaving = true;
    if (isTorn) checkpoints.tear();
    for (const { stays } of now) {
      const stay = stays.at(-1);
      if (stay) stay.end ??= isTorn ? 'torn' : 'left';
    }
    await client.close();
    await watching;
    for (const viewing of [...watched])
      if (viewing.stays.at(-1)?.end === 'ended' || viewing.fault !== undefined) watched.splice(watched.indexOf(viewing), 1);
    if (!shared.isOver()) await pause(random.between(0, 400));

    /** Begins a task or joins one; undefined where that failed. */
    async function join(): Promise<string | undefined> {
      const known = shared.begun.filter((one) => one.owner === owner && !watched.some(({ taskId }) => taskId === one.taskId));
      if (known.length > 0 && random.odds(0.4)) return random.pick(known.slice(-5)).taskId;
      const isLasting = lasts && made === 0;
      const creation: Creation = {
        owner,
        clientRequestId: `${name}-${(made += 1)}`,
        input: { ...generateJob(random, shared.onceShare), ...(isLasting && { end: 'wait', repeatable: true }) },
        lasts: isLasting,
        taskIds: new Set(),
        sent: 0,
        toldNew: [],
        answered: 0,
        unknown: 0,
      };
      record.creations.push(creation);
      await Promise.all(Array.from({ length: random.pick([1, 1, 2, 3]) }, () => create(client, creation)));
      const [taskId] = creation.taskIds;
      // Whoever joined one that lasts would watch it to the end of the run.
      if (taskId !== undefined && !isLasting) shared.begun.push({ owner, taskId });
      return taskId;
    }
  }

  async function watch(viewing: Viewing, life: { readonly client: TaskBridgeClient; readonly isLeaving: boolean }): Promise<void> {
    const { taskId } = viewing;
    const kept = [...texts].find(([key]) => key.endsWith(taskId))?.[1];
    const resumedAfter = kept === undefined ? undefined : (JSON.parse(kept) as { eventId: string }).eventId;
    const stay: ClientLife = { begunAt: performance.now(), resumedAfter, ids: [], dealtWith: 0, end: undefined };
    viewing.stays.push(stay);
    const observation = life.client.observe(taskId);
    let isInTheMiddle = false;
    try {
      for await (const fact of observation) {
        stay.dealtWith = stay.ids.length;
        stay.ids.push(fact.eventId);
        react(fact, viewing, life.client);
        if (random.odds(0.05)) await pause(random.between(1, 150));
        isInTheMiddle = life.isLeaving;
        if (isInTheMiddle) break;
      }
      // Whoever is told the end as he leaves has seen it, and keeps no checkpoint; what a torn one forgot comes back.
      if (stay.end === 'torn' || isInTheMiddle) return;
      stay.dealtWith = stay.ids.length;
      stay.end = 'ended';
      // The loop ends when the fold is whole, never before.
      const { terminal, state, lastEventId } = observation.getSnapshot().task;
      if (terminal || !life.isLeaving) viewing.folded = { state, lastEventId };
    } catch (error) {
      const isClosed = error instanceof TaskBridgeClientError && error.code === 'CLOSED';
      // Whoever waited for the next fact had dealt with all before it.
      if (isClosed) {
        stay.dealtWith = stay.ids.length;
        const { terminal, lastEventId } = observation.getSnapshot().task;
        if (stay.end === 'left' && terminal && lastEventId === stay.ids.at(-1)) stay.end = 'ended';
      } else if (isToldAbsent(error) && !shared.isOver()) {
        stay.dealtWith = stay.ids.length;
        stay.end = 'absent';
      } else viewing.fault = error instanceof TaskBridgeClientError ? `${error.code}: ${error.message}` : String(error);
    }
  }

  function react(fact: Fact | UnknownFact, { taskId }: Viewing, client: TaskBridgeClient): void {
    if (isFact(fact, 'TASK_SUSPENDED') && random.odds(0.8)) {
      const { suspendId, allowedActions } = fact.payload;
      const action = newAction(taskId, suspendId, random.pick(allowedActions));
      const afterMs = random.between(0, 300);
      void send(client, action, afterMs);
      // The same again, at the same time; and the same id for something else.
      if (random.odds(0.3)) void send(client, action, afterMs);
      if (random.odds(0.15))
        void send(
          client,
          { ...action, actionType: 'other' === action.actionType ? 'yes' : otherThan(action), outcomes: [] },
          afterMs,
          true,
        );
    }
    const creation = record.creations.find(({ taskIds }) => taskIds.has(taskId));
    const isLastStep = isFact(fact, 'TASK_PROGRESS') && fact.payload.progress === 100;
    if (((creation?.input.end === 'wait' && isLastStep) || random.odds(0.002)) && !creation?.lasts) {
      record.cancels += 1;
      void client.cancel(taskId, `${name} had enough`).catch(() => undefined);
    }
  }

  function newAction(taskId: string, suspendId: string, actionType: string): SentAction {
    const action: SentAction = {
      owner,
      taskId,
      suspendId,
      clientActionId: `${name}-a${(made += 1)}`,
      actionType,
      payload: { by: name },
      sentAt: performance.now(),
      outcomes: [],
    };
    record.actions.push(action);
    return action;
  }

  async function send(client: TaskBridgeClient, action: SentAction, afterMs: number, isOther = false): Promise<void> {
    if (isOther) record.actions.push(action);
    await pause(afterMs);
    const { taskId, suspendId, clientActionId, actionType, payload } = action;
    try {
      action.outcomes.push(await outcomeOf(client.act(taskId, { suspendId, clientActionId, actionType, payload: { ...payload } })));
    } catch {
      // A client that was closed in the meantime.
      action.outcomes.push('unknown');
    }
  }
}

/** As the protocol has it for a task that is not there: 404, and a close with 1008 where the snapshot, by another node, says otherwise. */
const isToldAbsent = (error: unknown): boolean =>
  error instanceof TaskBridgeClientError && (error.code === 'TASK_NOT_FOUND' || error.closeCode === 1008);

const isAbsent = ({ stays }: Viewing): boolean => stays.at(-1)?.end === 'absent';

const otherThan = ({ actionType }: SentAction): string => (actionType === 'maybe' ? 'no' : 'maybe');

/** Sends a create once; what came of it stands in the creation. */
export async function create(client: TaskBridgeClient, creation: Creation): Promise<void> {
  const { clientRequestId, input } = creation;
  creation.sent += 1;
  try {
    const { taskId, deduplicated } = await client.start({
      taskType: input.repeatable ? 'job' : 'once',
      clientRequestId,
      input: { ...input, asks: [...input.asks.map((ask) => ({ ...ask }))] },
    });
    creation.answered += 1;
    creation.taskIds.add(taskId);
    if (!deduplicated) creation.toldNew.push(taskId);
  } catch {
    creation.unknown += 1;
  }
}
