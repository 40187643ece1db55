import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker, type WorkerOptions } from '@temporalio/worker';
import { memoryStore } from '../../adapters/memory/index.ts';
import { taskBridgeActivities } from '../../adapters/temporal/activities/index.ts';
import type { TaskContract } from '../../machines/contract/index.ts';
import type { Store } from '../../server/index.ts';
import { createTaskReporter, type TaskReporter } from '../../server/reporter/index.ts';
import { faultyStore } from '../server/faulty-store.ts';
import { temporalServer, type TemporalServer } from './dev-server.ts';

/** A Temporal server, a worker in this process, and the store that both halves share. */
export interface TemporalHarness {
  readonly server: TemporalServer;
  readonly client: Client;
  readonly taskQueue: string;
  readonly store: Store;
  readonly reporter: TaskReporter;
  /** From now on every report is committed, and the reply to its first try is lost. */
  loseReplies(isLosing: boolean): void;
  /** Runs a task queue of its own by further workers of this process, each with what it is given besides. */
  more(taskQueue: string, workers: readonly Partial<WorkerOptions>[]): Promise<{ close(): Promise<void> }>;
  close(): Promise<void>;
}

let bundle: ReturnType<typeof bundleWorkflowCode> | undefined;
const quiet = { warn: () => undefined, error: () => undefined };

/** The workflows of the tests, bundled once a process. */
export function workflowBundle(): ReturnType<typeof bundleWorkflowCode> {
  return (bundle ??= bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('workflows/index.ts', import.meta.url)),
    logger: new DefaultLogger('ERROR'),
  }));
}

/** Starts it all. */
export async function temporalHarness(
  activities: WorkerOptions['activities'] = {},
  options: { readonly dbFilename?: string; readonly contract?: TaskContract } = {},
): Promise<TemporalHarness> {
  const memory = memoryStore();
  await memory.open();
  const store = faultyStore(memory, { shared: true });
  const reporter = createTaskReporter({ store, logger: quiet, ...(options.contract && { contract: options.contract }) });
  let isLosing = false;
  const known = new Set<string>();
  const losing: TaskReporter = {
    ...reporter,
    async report(attempt, report) {
      const outcome = await reporter.report(attempt, report);
      const key = JSON.stringify([attempt, report.source, report.seq]);
      if (!isLosing || known.has(key)) return outcome;
      known.add(key);
      throw new Error('The reply was lost.');
    },
  };
  const server = await temporalServer(options);
  Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { forward: {}, filter: 'ERROR' } } });
  const connection = await Connection.connect({ address: server.address });
  const native = await NativeConnection.connect({ address: server.address });
  const taskQueue = `tests-${process.pid}-${Math.random()}`;
  const worker = await Worker.create({
    connection: native,
    taskQueue,
    workflowBundle: await workflowBundle(),
    activities: { ...taskBridgeActivities(losing), ...activities },
    shutdownForceTime: '1 second',
  });
  const running = worker.run();
  return {
    server,
    client: new Client({ connection }),
    taskQueue,
    store,
    reporter,
    loseReplies: (is) => void (isLosing = is),
    async more(queue, given) {
      const own = { connection: native, taskQueue: queue, shutdownForceTime: '1 second' } as const;
      const workers = await Promise.all(given.map((each) => Worker.create({ ...own, ...each })));
      const runs = workers.map((each) => each.run());
      return {
        async close() {
          for (const each of workers) each.shutdown();
          await Promise.allSettled(runs);
        },
      };
    },
    async close() {
      worker.shutdown();
      await running.catch(() => undefined);
      await native.close();
      await connection.close();
      await server.close();
    },
  };
}
