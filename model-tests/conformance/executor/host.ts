import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Koa from 'koa';
import type {
  CancelTaskResponse,
  CreateTaskResponse,
  Fact,
  JsonObject,
  SubmitActionRequest,
  SubmitActionResponse,
  TaskSnapshotResponse,
} from 'taskbridge/wire';
import { createTaskBridge, type Store, type TaskBridge, type TaskBridgeOptions, type TaskExecutor } from 'taskbridge/server';

/** A bridge behind a real HTTP server, and calls to it as `alice`. Calls reject with the error envelope that a caller of the wire gets. */
export interface RunningHost {
  readonly bridge: TaskBridge;
  readonly store: Store;
  /** Where it answers, without a slash at the end. */
  readonly url: string;
  create(body: { clientRequestId: string; taskType: string; input?: JsonObject }): Promise<CreateTaskResponse>;
  /** Creates a task with a request id of its own and gives its id. */
  start(taskType: string, input?: JsonObject): Promise<string>;
  snapshot(taskId: string): Promise<TaskSnapshotResponse>;
  act(taskId: string, action: SubmitActionRequest): Promise<SubmitActionResponse>;
  cancel(taskId: string, reason?: string): Promise<CancelTaskResponse>;
  /** The whole log, as the store has it. */
  facts(taskId: string): Promise<Fact[]>;
  close(): Promise<void>;
}

/** What a host is made of; its times are short unless `tasks` says otherwise. */
export interface HostOptions extends Partial<Omit<TaskBridgeOptions, 'store'>>, Pick<TaskBridgeOptions, 'store'> {
  /** Defaults to a free one. */
  readonly port?: number;
}

let requests = 0;

/** Starts a bridge on a port of this machine. Whoever presents an `Authorization` header is who it says. */
export async function startHost(
  executor: TaskExecutor | readonly TaskExecutor[],
  { store, tasks, port = 0, ...rest }: HostOptions,
): Promise<RunningHost> {
  const bridge = createTaskBridge({
    store,
    executor,
    auth: ({ headers }) => (headers.authorization === undefined ? undefined : { subject: headers.authorization }),
    logger: { warn: () => undefined, error: () => undefined },
    tasks: { reconcileMs: 20, effectRetryMs: 10, ...tasks },
    ...rest,
  });
  const app = new Koa();
  app.use(bridge.middleware());
  const answer = app.callback();
  const server = createServer((request, response) => void answer(request, response));
  // Else it may close an idle connection just as a caller who was late sends his next request over it.
  server.keepAliveTimeout = 0;
  server.on('upgrade', bridge.upgrade);
  await bridge.start();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  // A server that listens on TCP has such an address.
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  async function call<T>(method: string, path: string, body?: object): Promise<T> {
    const response = await fetch(`${url}/api/v1/tasks${path}`, {
      method,
      headers: { authorization: 'alice', 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    });
    const answered: unknown = await response.json();
    // An error envelope is what a caller of the wire gets.
    if (!response.ok) throw answered;
    return answered as T;
  }

  return {
    bridge,
    store,
    url,
    create: (body) => call('POST', '', body),
    start: async (taskType, input = {}) =>
      (await call<CreateTaskResponse>('POST', '', { clientRequestId: `request-${++requests}`, taskType, input })).taskId,
    snapshot: (taskId) => call('GET', `/${taskId}`),
    act: (taskId, action) => call('POST', `/${taskId}/actions`, action),
    cancel: (taskId, reason) => call('POST', `/${taskId}/cancel`, reason === undefined ? {} : { reason }),
    async facts(taskId) {
      const page = await store.read(taskId, 1, { facts: 100_000, bytes: 1e9 });
      return (page?.entries ?? []).map(({ bytes }) => JSON.parse(Buffer.from(bytes).toString()) as Fact);
    },
    async close() {
      await bridge.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
