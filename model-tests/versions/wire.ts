import { createTaskBridgeClient, isTerminalFact, type TransportName } from 'taskbridge/client/node';
import type { Fact } from 'taskbridge/wire';
import type { Log } from '../redis/proof.ts';

/** An answer of a host, as it came. */
export interface Answer {
  readonly status: number;
  readonly body: {
    readonly taskId?: string;
    readonly code?: string;
    readonly deduplicated?: boolean;
    readonly status?: string;
    readonly state?: string;
  };
  readonly retryAfter: string | null;
}

/** What a task is created with; the same `clientRequestId` asks for the same task. */
export interface NewTask {
  readonly clientRequestId: string;
  readonly taskType: string;
  readonly input?: Readonly<Record<string, unknown>>;
}

/** Plain requests to one host, without a client that would try again. */
export interface Requests {
  create(task: NewTask): Promise<Answer>;
  get(taskId: string): Promise<Answer>;
  poll(taskId: string): Promise<Answer>;
  stream(taskId: string): Promise<Answer>;
  act(taskId: string, suspendId: string, actionType: string, clientActionId: string): Promise<Answer>;
  cancel(taskId: string): Promise<Answer>;
}

/** The requests to the host at a URL. */
export function requestsTo(url: string): Requests {
  const send = async (path: string, body?: object): Promise<Answer> => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${url}/api/v1/tasks${path}`, body ? { method: 'POST', headers, body: JSON.stringify(body) } : {});
    const text = await response.text();
    return { status: response.status, body: JSON.parse(text) as Answer['body'], retryAfter: response.headers.get('retry-after') };
  };
  return {
    create: (task) => send('', task),
    get: (taskId) => send(`/${taskId}`),
    poll: (taskId) => send(`/${taskId}/events`),
    stream: (taskId) => send(`/${taskId}/events/stream`),
    act: (taskId, suspendId, actionType, clientActionId) => send(`/${taskId}/actions`, { suspendId, actionType, clientActionId }),
    cancel: (taskId) => send(`/${taskId}/cancel`, {}),
  };
}

/** A task as every version shows it: 0.1.0 does not say what it was created with. */
export function shownByAll(answer: Answer): Answer {
  const { input: _input, metadata: _metadata, ...body } = answer.body as Answer['body'] & { input?: unknown; metadata?: unknown };
  return { ...answer, body };
}

/** The ways to watch, highest first. */
export const ways: readonly TransportName[] = ['ws', 'sse', 'poll'];

/** Watches a task at a URL from its first fact, by one way or by whichever works, until a fact that the test waits for, or the end. */
export async function watch(
  url: string,
  taskId: string,
  { by = ways, until = isTerminalFact }: { readonly by?: readonly TransportName[]; readonly until?: (fact: Log[number]) => boolean } = {},
): Promise<Log> {
  const client = createTaskBridgeClient({
    baseUrl: url,
    transports: by,
    limits: { backoffBaseMs: 50, backoffMaxMs: 300, climbIntervalMs: 500, openMs: 5000, commandRetriesMax: 20, commandTimeoutMs: 5000 },
  });
  const log: Log[number][] = [];
  try {
    for await (const fact of client.observe(taskId)) {
      log.push(fact);
      if (until(fact)) break;
    }
  } finally {
    await client.close();
  }
  return log;
}

/** The log by each way, which has to be one and the same. */
export async function watchEveryWay(url: string, taskId: string, until?: (fact: Log[number]) => boolean): Promise<readonly Log[]> {
  return Promise.all(ways.map((way) => watch(url, taskId, { by: [way], ...(until && { until }) })));
}

/** True for the fact that asks something. */
export function isQuestion(fact: Log[number]): fact is Fact<'TASK_SUSPENDED'> {
  return fact.type === 'TASK_SUSPENDED';
}

/** The question that a log ends with. */
export function questionOf(log: Log): string {
  const asked = log.findLast(isQuestion);
  if (!asked) throw new Error(`Nothing was asked in ${log.map(({ type }) => type).join(', ')}.`);
  return asked.payload.suspendId;
}

/** The result of a completed task. */
export function resultOf(log: Log): unknown {
  const last = log.at(-1);
  return last?.type === 'TASK_COMPLETED' ? (last as Fact<'TASK_COMPLETED'>).payload.result : undefined;
}
