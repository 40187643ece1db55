import { memoryStore } from '../../adapters/memory/index.ts';
import { createCore, type Core, type CoreContext } from '../../server/core.ts';
import { systemChance, systemClock, type AuthContext, type Store } from '../../server/ports/index.ts';
import { taskSettings, type TaskSettings } from '../../server/task/settings.ts';
import type { TaskExecutor } from '../../server/ports/index.ts';
import type { Fact } from '../../machines/index.ts';

/** Who asks in these tests. */
export const alice: AuthContext = { subject: 'alice' };

/** A core without doors, following the store's tail directly. */
export async function coreOf(
  executors: TaskExecutor[],
  settings: Partial<TaskSettings> = {},
  given: { store?: Store } & Partial<Pick<CoreContext, 'actions' | 'inspect'>> = {},
): Promise<{ core: Core; store: Store; facts(taskId: string): Promise<Fact[]>; start(taskType: string, input?: object): Promise<string> }> {
  const store = given.store ?? memoryStore();
  await store.open();
  const followers = new Map<string, Set<() => void>>();
  const tail = store.tail({
    committed: (taskId) => followers.get(taskId)?.forEach((tell) => tell()),
    interrupted: () => undefined,
  });
  const core = createCore({
    store,
    executors,
    attachments: undefined,
    ownership: {},
    actions: given.actions,
    metrics: { incrementCounter: () => undefined, setGauge: () => undefined },
    logger: { warn: () => undefined, error: (...all) => console.error(...all) },
    clock: systemClock,
    chance: systemChance,
    settings: taskSettings({ reconcileMs: 20, effectRetryMs: 10, ...settings }),
    inspect: given.inspect,
    follow(taskId, onCommit) {
      const all = followers.get(taskId) ?? new Set();
      followers.set(taskId, all.add(onCommit));
      void tail.watch(taskId);
      return () => all.delete(onCommit);
    },
  });
  await core.start();
  let requests = 0;
  return {
    core,
    store,
    async facts(taskId) {
      const page = await store.read(taskId, 1, { facts: 10_000, bytes: 1e9 });
      return (page?.entries ?? []).map(({ bytes }) => JSON.parse(Buffer.from(bytes).toString()) as Fact);
    },
    async start(taskType, input = {}) {
      const clientRequestId = `request-${++requests}`;
      const taskId = core.service.newTaskId(alice, clientRequestId);
      const created = await core.service.create(alice, { taskId, clientRequestId, taskType, input: input as never, metadata: {}, attachments: [] });
      return created.taskId;
    },
  };
}
