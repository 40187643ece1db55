import { onTestFinished } from 'vitest';
import { inProcess, type Handler } from 'taskbridge/adapters/in-process';
import { memoryAttachments, memoryStore } from 'taskbridge/adapters/memory';
import type { Fact, GapFrame } from 'taskbridge/wire';
import { createTaskBridge, type AttachmentStore, type Store, type TaskBridge, type TaskBridgeOptions } from 'taskbridge/server';

/** A bridge without a server in front of it. */
export interface OwnBridge {
  readonly bridge: TaskBridge;
  readonly store: Store;
  readonly attachments: AttachmentStore;
  /** What was logged. */
  readonly logged: string[];
  /** Starts a task that reports what it is told to: `count` messages for each call of `report`, and its end for `finish`. */
  start(subject?: string): Promise<ManualWork>;
}

/** One task, moved by the test. */
export interface ManualWork {
  readonly taskId: string;
  report(count: number): Promise<void>;
  /** Resolves when the terminal fact is there. */
  finish(): Promise<void>;
}

const ask: Handler = async (task) => {
  const { actionType } = await task.suspend('which', { reasonCode: 'WHICH', allowedActions: ['first', 'last'] });
  return { chosen: actionType };
};

let started = 0;

/** Closed when the test has finished. Runs tasks of the types `ask`, `manual` and `count`. */
export async function ownBridge(options: Partial<TaskBridgeOptions> = {}): Promise<OwnBridge> {
  const store = options.store ?? memoryStore();
  const attachments = memoryAttachments();
  const logged: string[] = [];
  const log = (message: string): void => void logged.push(message);
  const orders = new Map<number, (order: { readonly count: number; readonly done: () => void }) => void>();
  const bridge = createTaskBridge({
    executor: inProcess({
      ask,
      async count(task) {
        const names: string[] = [];
        for (const { fileName, bytes, sha256 } of task.attachments) names.push(`${fileName} ${bytes} ${sha256.slice(0, 8)}`);
        return { names, rows: task.input['rows'] ?? null };
      },
      async manual(task) {
        for (;;) {
          const { count, done } = await new Promise<{ readonly count: number; readonly done: () => void }>((resolve) =>
            orders.set(Number(task.input['nth']), resolve),
          );
          if (count === 0) {
            done();
            return {};
          }
          for (let nth = 0; nth < count; nth += 1) await task.message(`message ${nth}`);
          done();
        }
      },
    }),
    auth: ({ headers }) => (headers.authorization === undefined ? undefined : { subject: headers.authorization }),
    attachments,
    logger: { warn: log, error: log },
    tasks: { reconcileMs: 20 },
    ...options,
    store,
  });
  await bridge.start();
  onTestFinished(async () => {
    for (const order of orders.values()) order({ count: 0, done: () => undefined });
    await bridge.close();
  });

  return {
    bridge,
    store,
    attachments,
    logged,
    async start(subject = 'ann') {
      const nth = (started += 1);
      const { taskId } = await bridge.tasks({ subject }).start({ clientRequestId: `r${nth}`, taskType: 'manual', input: { nth } });
      const tell = async (count: number): Promise<void> => {
        let order = orders.get(nth);
        while (!order) {
          await new Promise(setImmediate);
          order = orders.get(nth);
        }
        orders.delete(nth);
        await new Promise<void>((done) => order({ count, done }));
      };
      return {
        taskId,
        report: tell,
        async finish() {
          await tell(0);
          const tasks = bridge.tasks({ subject });
          for (let page = await tasks.poll(taskId); !page.terminal;)
            page = await tasks.poll(taskId, { after: page.nextAfterEventId ?? '', waitMs: 60_000 });
        },
      };
    },
  };
}

/** The ids of facts, as far as they come; of a gap its type. */
export async function idsOf(facts: AsyncIterable<Fact | GapFrame>): Promise<string[]> {
  const ids: string[] = [];
  for await (const seen of facts) ids.push(seen.type === 'GAP' ? seen.type : seen.eventId);
  return ids;
}

/** The ids of a whole log. */
export async function logOf({ store }: OwnBridge, taskId: string): Promise<string[]> {
  const page = await store.read(taskId, 1, { facts: 100_000, bytes: Number.MAX_SAFE_INTEGER });
  return (page?.entries ?? []).map(({ eventId }) => eventId);
}
