/** An app that uses the client, for places that are no Node: bundled, and run there. */
import { createOutbox } from 'taskbridge/client/outbox';
import {
  asyncStorageCheckpoints,
  asyncStorageOutbox,
  createTaskBridgeClient,
  type AsyncTextStorage,
  type Attachment,
  type TaskBridgeClient,
  type TaskBridgeClientOptions,
} from 'taskbridge/react-native';

/** What the app is told to use: plain data, since it comes from another realm. */
export type AppOptions = Pick<TaskBridgeClientOptions, 'baseUrl' | 'transports'> & {
  readonly token?: string;
  readonly limits?: TaskBridgeClientOptions['limits'];
};

function open({ token, limits, ...options }: AppOptions, more: Partial<TaskBridgeClientOptions> = {}): TaskBridgeClient {
  return createTaskBridgeClient({
    ...options,
    ...more,
    ...(token !== undefined && { auth: () => token }),
    limits: { backoffBaseMs: 1, backoffMaxMs: 2, emptyPauseMs: 1, ...limits },
  });
}

/** What the platform has; undefined for what it lacks. */
export function platform() {
  const { Response: Answer, URL: Address, AbortController: Controller } = globalThis;
  const controller = new Controller();
  controller.abort('why');
  return {
    canParse: typeof Address.canParse,
    hasBodies: 'body' in Answer.prototype,
    reason: controller.signal.reason as unknown,
    decoder: typeof globalThis.TextDecoder,
    streams: typeof globalThis.ReadableStream,
  };
}

/** Watches a task to its end: the ids of its facts, where they came from, and how it stands. */
export async function watch(taskId: string, options: AppOptions) {
  const client = open(options);
  const observation = client.observe(taskId);
  const ids: string[] = [];
  for await (const { eventId } of observation) ids.push(eventId);
  const { task, connection } = observation.getSnapshot();
  await client.close();
  return { ids, state: task.state, transport: connection.transport };
}

/** Starts a task, watches it, answers and cancels it. */
export async function wholeLife(options: AppOptions, attachments?: readonly Attachment[]) {
  const client = open(options);
  const { taskId } = await client.start({ taskType: 'report', ...(attachments && { attachments }) });
  const observation = client.observe(taskId);
  const ids: string[] = [];
  for await (const { eventId } of observation) ids.push(eventId);
  const { status } = await client.act(taskId, { suspendId: 's', actionType: 'left' });
  const cancelled = await client.cancel(taskId);
  const { task, connection } = observation.getSnapshot();
  await client.close();
  return { ids, status, cancelled: cancelled.status, state: task.state, transport: connection.transport };
}

/** One start, and what came of it: the task, or the code of its error. */
export async function startOne(options: AppOptions, attachments?: readonly Attachment[]): Promise<string> {
  const client = open(options);
  try {
    return (await client.start({ taskType: 'report', ...(attachments && { attachments }) })).taskId;
  } catch (error) {
    return (error as { readonly code: string }).code;
  } finally {
    await client.close();
  }
}

/** A get that is aborted while it waits for its answer, and one whose client is closed: their codes. */
export async function endings(options: AppOptions, aborted: () => Promise<void>) {
  const codeOf = (error: unknown): string => (error as { readonly code: string }).code;
  const client = open(options);
  const controller = new AbortController();
  const left = client.get('task-1', { signal: controller.signal }).then(() => 'answered', codeOf);
  const closed = client.get('task-1').then(() => 'answered', codeOf);
  await aborted();
  controller.abort();
  const first = await left;
  await client.close();
  return [first, await closed];
}

/** Reads some facts of a task, with its checkpoints in the storage. */
export async function watchSome(taskId: string, facts: number, options: AppOptions, storage: AsyncTextStorage): Promise<string[]> {
  const client = open(options, { checkpoints: asyncStorageCheckpoints(storage) });
  const ids: string[] = [];
  for await (const { eventId } of client.observe(taskId)) {
    if (ids.push(eventId) > facts) break;
  }
  await client.close();
  return ids;
}

/** Leaves a start in the outbox, with nobody to send it. */
export async function leaveInOutbox(options: AppOptions, storage: AsyncTextStorage, attachments?: readonly Attachment[]): Promise<string> {
  const client = open(options);
  const gate = { isOpen: () => false, subscribe: () => () => undefined };
  const outbox = createOutbox(client, { store: asyncStorageOutbox(storage, { name: 'ada' }), gate });
  const { clientRequestId } = await outbox.start({ taskType: 'report', ...(attachments && { attachments }) });
  await outbox.close();
  await client.close();
  return clientRequestId;
}

/** Sends what is in the outbox; resolves with what became of all. */
export async function sendOutbox(options: AppOptions, storage: AsyncTextStorage): Promise<string[]> {
  const client = open(options);
  const outbox = createOutbox(client, { store: asyncStorageOutbox(storage, { name: 'ada' }) });
  await new Promise<void>((resolve) => {
    const look = (): void => {
      const { state, pending } = outbox.getSnapshot();
      if (state === 'idle' && pending === 0) resolve();
    };
    outbox.subscribe(look);
    look();
  });
  const states = outbox.getSnapshot().entries.map(({ state }) => state);
  await outbox.close();
  await client.close();
  return states;
}
