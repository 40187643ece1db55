import { inProcess, TaskFailure } from 'taskbridge/adapters/in-process';
import { memoryAttachments } from 'taskbridge/adapters/memory';
import { systemClock, type ServerChance, type Clock, type Store, type TaskExecutor } from 'taskbridge/server';
import { vi } from 'vitest';
import { startHost, type RunningHost } from '../conformance/index.ts';

/** A clock that stands still, but for its timers. */
export const stillClock: Clock = { ...systemClock, now: () => Date.parse('2026-01-01T12:00:00Z') };
/** The same ids each time: a second task of one bucket would be refused. */
export const fixedChance: ServerChance = { hex: (digits) => '5'.repeat(digits), fraction: () => 0.5 };

/** Work that says all that work can say. */
export const scenarioWork: TaskExecutor = inProcess({
  story: {
    repeatable: true,
    async run(task) {
      if (task.saved === undefined) {
        void task.progress(40, { stage: 'reading', message: 'half of it' });
        void task.message('a note', 'warning');
        await task.save({ page: 1 });
      }
      await task.suspend('first', { reasonCode: 'CHOOSE', allowedActions: ['keep', 'drop'] });
      await task.suspend('second', {
        kind: 'EXTERNAL_CONFIRMATION_PENDING',
        reasonCode: 'CONFIRM',
        allowedActions: ['yes'],
        schemaVersion: 2,
        expiresInMs: 60_000,
        uiHints: { title: 'Sure?' },
        interaction: { form: 'a' },
      });
      throw new TaskFailure('STOPPED', 'Somebody said yes.', { retryable: true });
    },
  },
  done: async () => ({ pages: 2 }),
  wait: (task) => new Promise((_, reject) => task.signal.addEventListener('abort', () => reject(task.signal.reason as Error))),
});

/** Starts a host of the scenario. It is closed by the caller. One that goes on with what another began needs a chance of its own: it is another node. */
export function scenarioHost(store: Store, chance: ServerChance = fixedChance): Promise<RunningHost> {
  return startHost(scenarioWork, { store, clock: stillClock, chance, attachments: { ...memoryAttachments(), shared: true } });
}

/** The tasks of the scenario. */
export interface ScenarioTasks {
  /** Failed after two questions. */
  readonly asking: string;
  readonly completed: string;
  readonly cancelled: string;
}

/** Has a task that fails after two questions, one that is completed and one that is cancelled. `waiting` is called while the second question is open. */
export async function runScenario(
  host: RunningHost,
  waiting: (taskId: string) => Promise<void> = async () => undefined,
): Promise<ScenarioTasks> {
  const asking = await createWithFile(host.url);
  await act(host, asking, 'keep', { why: 'it is good' });
  await vi.waitUntil(() => asksFor(host, asking, 'yes'));
  await vi.waitUntil(async () => (await ledgerOf(host.store, asking)).context.pendingDeliveries.length === 0);
  await waiting(asking);
  await act(host, asking, 'yes', {});
  const { taskId: completed } = await host.create({ clientRequestId: 'done', taskType: 'done' });
  const { taskId: cancelled } = await host.create({ clientRequestId: 'cancelled', taskType: 'wait' });
  await vi.waitUntil(async () => (await host.snapshot(cancelled)).state === 'running');
  await host.cancel(cancelled, 'no longer needed');
  for (const taskId of [asking, completed, cancelled])
    await vi.waitUntil(async () => (await ledgerOf(host.store, taskId)).value === 'released');
  return { asking, completed, cancelled };
}

async function createWithFile(url: string): Promise<string> {
  const form = new FormData();
  form.set('clientRequestId', 'story');
  form.set('taskType', 'story');
  form.set('input', '{"pages":2}');
  form.set('metadata', '{"from":"a test"}');
  form.set('attachment', new Blob(['the pages'], { type: 'text/plain' }), 'pages.txt');
  const response = await fetch(`${url}/api/v1/tasks`, { method: 'POST', headers: { authorization: 'alice' }, body: form });
  const { taskId } = (await response.json()) as { readonly taskId?: string };
  if (taskId === undefined) throw new Error(`The create was answered ${response.status}.`);
  return taskId;
}

async function asksFor(host: RunningHost, taskId: string, action: string): Promise<string | undefined> {
  const { suspensions } = await host.snapshot(taskId);
  return suspensions.find(({ allowedActions }) => allowedActions.includes(action))?.suspendId;
}

async function act(host: RunningHost, taskId: string, actionType: string, payload: Readonly<Record<string, string>>): Promise<void> {
  const suspendId = await vi.waitUntil(() => asksFor(host, taskId, actionType));
  await host.act(taskId, { suspendId, actionType, payload, metadata: { by: 'alice' }, clientActionId: `the ${actionType}` });
}

interface LedgerAsStored {
  readonly value: unknown;
  readonly context: { readonly pendingDeliveries: readonly string[] };
}

async function ledgerOf(store: Store, taskId: string): Promise<LedgerAsStored> {
  return JSON.parse((await store.load(taskId))?.fields['ledger'] ?? '{}') as LedgerAsStored;
}
