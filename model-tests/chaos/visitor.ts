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
import { drawJob } from './job.ts';
import type { Creation, Ledger, SentAction, Stay, Viewing } from './ledger.ts';

/** What visitors share. */
export interface Crowd {
  readonly ledger: Ledger;
  /** True once nothing new is begun. */
  readonly isOver: () => boolean;
  /** Tasks that others began, to be joined. */
  readonly begun: { readonly owner: string; readonly taskId: string }[];
}

/** One visitor: a client that comes and goes, and finds its checkpoints again. */
export interface VisitorOptions {
  readonly name: string;
  readonly owner: string;
  readonly baseUrl: string;
  /** Undefined for all, with falls and climbs. */
  readonly transport: TransportName | undefined;
  readonly dice: SeededRandom;
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
export async function visit({ name, owner, baseUrl, transport, dice }: VisitorOptions, crowd: Crowd): Promise<void> {
  const { ledger } = crowd;
  const texts = new Map<string, string>();
  const watched: Viewing[] = [];
  let made = 0;

  while (!crowd.isOver() || watched.length > 0) {
    const checkpoints = keptCheckpoints(texts);
    const client = createTaskBridgeClient({
      baseUrl,
      checkpoints,
      limits,
      auth: () => owner,
      ...(transport !== undefined && { transports: [transport] }),
      onReport: (report) => void (report.type === 'gap' && ledger.gaps.push(`${name} on ${report.taskId}: ${report.reason}`)),
      listener: {
        onPollEvent: () => void (ledger.brought.poll += 1),
        onSseEvent: () => void (ledger.brought.sse += 1),
        onWsRawMessage: ({ text }) => void (text.startsWith('{"type":"TASK_') && (ledger.brought.ws += 1)),
      },
    });
    ledger.lives += 1;
    const life = { client, isLeaving: false };
    while (!crowd.isOver() && watched.length < 2) {
      const taskId = await join();
      if (taskId === undefined) break;
      const viewing: Viewing = { viewer: name, owner, taskId, stays: [] };
      ledger.viewings.push(viewing);
      watched.push(viewing);
    }
    const watching = Promise.all(watched.map((viewing) => watch(viewing, life)));
    const isTorn = dice.odds(0.4);
    await (crowd.isOver() ? watching : Promise.race([watching, pause(dice.between(500, 8000))]));
    life.isLeaving = true;
    if (isTorn) checkpoints.tear();
    for (const { stays } of watched) {
      const stay = stays.at(-1);
      if (stay) stay.end ??= isTorn ? 'torn' : 'left';
    }
    await client.close();
    await watching;
    for (const viewing of [...watched])
      if (viewing.stays.at(-1)?.end === 'ended' || viewing.fault !== undefined) watched.splice(watched.indexOf(viewing), 1);
    if (!crowd.isOver()) await pause(dice.between(0, 400));

    /** Begins a task or joins one; undefined where that failed. */
    async function join(): Promise<string | undefined> {
      const known = crowd.begun.filter((one) => one.owner === owner && !watched.some(({ taskId }) => taskId === one.taskId));
      if (known.length > 0 && dice.odds(0.4)) return dice.pick(known.slice(-5)).taskId;
      const creation: Creation = {
        owner,
        clientRequestId: `${name}-${(made += 1)}`,
        input: drawJob(dice),
        taskIds: new Set(),
        created: 0,
        answered: 0,
        unknown: 0,
      };
      ledger.creations.push(creation);
      await Promise.all(Array.from({ length: dice.pick([1, 1, 2, 3]) }, () => create(client, creation)));
      const [taskId] = creation.taskIds;
      if (taskId !== undefined) crowd.begun.push({ owner, taskId });
      return taskId;
    }
  }

  async function watch(viewing: Viewing, life: { readonly client: TaskBridgeClient; readonly isLeaving: boolean }): Promise<void> {
    const { taskId } = viewing;
    const kept = [...texts].find(([key]) => key.endsWith(taskId))?.[1];
    const resumedAfter = kept === undefined ? undefined : (JSON.parse(kept) as { eventId: string }).eventId;
    const stay: Stay = { resumedAfter, ids: [], dealtWith: 0, end: undefined };
    viewing.stays.push(stay);
    const observation = life.client.observe(taskId);
    try {
      for await (const fact of observation) {
        stay.dealtWith = stay.ids.length;
        stay.ids.push(fact.eventId);
        react(fact, viewing, life.client);
        if (dice.odds(0.05)) await pause(dice.between(1, 150));
        if (life.isLeaving) break;
      }
      if (life.isLeaving && stay.end !== undefined) return;
      stay.dealtWith = stay.ids.length;
      stay.end = 'ended';
      // The loop ends when the fold is whole, never before.
      const { terminal, state, lastEventId } = observation.getSnapshot().task;
      if (terminal || !life.isLeaving) viewing.folded = { state, lastEventId };
    } catch (error) {
      const isClosed = error instanceof TaskBridgeClientError && error.code === 'CLOSED';
      // Whoever waited for the next fact had dealt with all before it.
      if (isClosed) stay.dealtWith = stay.ids.length;
      else viewing.fault = error instanceof TaskBridgeClientError ? `${error.code}: ${error.message}` : String(error);
    }
  }

  function react(fact: Fact | UnknownFact, { taskId }: Viewing, client: TaskBridgeClient): void {
    if (isFact(fact, 'TASK_SUSPENDED') && dice.odds(0.8)) {
      const { suspendId, allowedActions } = fact.payload;
      const action = newAction(taskId, suspendId, dice.pick(allowedActions));
      const afterMs = dice.between(0, 300);
      void send(client, action, afterMs);
      // The same again, at the same time; and the same id for something else.
      if (dice.odds(0.3)) void send(client, action, afterMs);
      if (dice.odds(0.15))
        void send(
          client,
          { ...action, actionType: 'other' === action.actionType ? 'yes' : otherThan(action), outcomes: [] },
          afterMs,
          true,
        );
    }
    const input = ledger.creations.find(({ taskIds }) => taskIds.has(taskId))?.input;
    const isLastStep = isFact(fact, 'TASK_PROGRESS') && fact.payload.progress === 100;
    if ((input?.end === 'wait' && isLastStep) || dice.odds(0.002)) {
      ledger.cancels += 1;
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
      outcomes: [],
    };
    ledger.actions.push(action);
    return action;
  }

  async function send(client: TaskBridgeClient, action: SentAction, afterMs: number, isOther = false): Promise<void> {
    if (isOther) ledger.actions.push(action);
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

const otherThan = ({ actionType }: SentAction): string => (actionType === 'maybe' ? 'no' : 'maybe');

/** Sends a create once; what came of it stands in the creation. */
export async function create(client: TaskBridgeClient, creation: Creation): Promise<void> {
  const { clientRequestId, input } = creation;
  try {
    const { taskId, deduplicated } = await client.start({
      taskType: 'job',
      clientRequestId,
      input: { ...input, asks: [...input.asks.map((ask) => ({ ...ask }))] },
    });
    creation.answered += 1;
    creation.taskIds.add(taskId);
    if (!deduplicated) creation.created += 1;
  } catch {
    creation.unknown += 1;
  }
}
