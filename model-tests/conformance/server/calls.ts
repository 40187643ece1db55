import { randomUUID } from 'node:crypto';
import { isTerminalType } from 'taskbridge/wire';
import { holds, includes, same, says } from '../suite/claim.ts';
import { eventually } from '../suite/eventually.ts';
import { slowness } from '../suite/slowness.ts';
import { transcriptWriter } from '../suite/transcript.ts';
import type { Owner, ServerUnderTest } from './server-under-test.ts';

/** A fact as it travels. */
export interface WireFact {
  readonly type: string;
  readonly taskId: string;
  readonly eventId: string;
  readonly createdAt: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** What came back. */
export interface Answer<Body = Record<string, unknown>> {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed where it is JSON, else its text. */
  readonly body: Body;
}

/** One page of a log. */
export interface Page {
  readonly taskId: string;
  readonly events: readonly WireFact[];
  readonly nextAfterEventId: string | null;
  readonly hasMore: boolean;
  readonly terminal?: boolean;
  readonly gap?: { readonly reason: string; readonly firstEventId: string };
}

/** How a request differs from the usual one. */
export interface CallOptions {
  /** Whose request it is; `nobody` sends no credentials. Defaults to `one`. */
  readonly as?: Owner | 'nobody';
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it stands. */
  readonly raw?: string | FormData;
  readonly headers?: Readonly<Record<string, string>>;
  /** Another way to the same server. */
  readonly via?: string;
}

// A server may close an idle connection just as the next request goes over it. Streams may not say it: fetch then takes a cut body for a whole one.
const OWN_CONNECTION = { connection: 'close' } as const;

const REQUEST_LIMIT_MS = 15_000;

export const endsLog = ({ type }: { readonly type: string }): boolean => isTerminalType(type);
export const typesOf = (facts: readonly { readonly type: string }[]): string[] => facts.map(({ type }) => type.replace('TASK_', ''));
export const idsOf = (facts: readonly { readonly eventId: string }[]): string[] => facts.map(({ eventId }) => eventId);
export const patienceOf = ({ profile }: ServerUnderTest): number => (profile.patienceMs ?? 5000) * slowness();

/** Sends one request to a path below the prefix, or to one that begins with two slashes below the root. */
export async function call<Body = Record<string, unknown>>(
  { baseUrl, prefix = '/api/v1', credentials }: ServerUnderTest,
  method: string,
  path: string,
  { as = 'one', json, raw, headers, via = baseUrl }: CallOptions = {},
): Promise<Answer<Body>> {
  const body = json === undefined ? raw : JSON.stringify(json);
  const where = path.startsWith('//') ? path.slice(1) : prefix + path;
  const note = transcriptWriter();
  const about = [as === 'one' ? '' : ` as ${as}`, headers ? ` ${JSON.stringify(headers)}` : ''].join('');
  note(`→ ${method} ${where}${about}${body === undefined ? '' : ` ${typeof body === 'string' ? body : '(a form)'}`}`);
  const response = await fetch(via + where, {
    method,
    headers: {
      ...OWN_CONNECTION,
      ...(as !== 'nobody' && credentials(as)),
      ...(typeof body === 'string' && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body }),
    signal: AbortSignal.timeout(REQUEST_LIMIT_MS * slowness()),
  }).catch((error: unknown) => {
    note(`✗ ${method} ${where}: ${String((error as Error).cause ?? error)}`);
    throw error;
  });
  const text = await response.text();
  note(`← ${response.status} to ${method} ${where} ${text}`);
  const isJson = response.headers.get('content-type')?.includes('json') ?? false;
  // What the body is, is what the cases are about.
  return { status: response.status, headers: response.headers, body: (isJson ? JSON.parse(text) : text) as Body };
}

/** Throws unless the answer is this refusal in the common envelope. */
export function refused(answer: Answer<unknown>, status: number, code: string): void {
  same(answer.status, status, `the status of a refusal (${JSON.stringify(answer.body)})`);
  same(Object.keys(answer.body as object).sort(), ['code', 'details', 'message', 'timestamp'], 'the members of the error envelope');
  includes(answer.body, { code }, 'the error envelope');
}

/** Throws unless the answer asks to come back in so many seconds. */
export function asksToWait({ headers }: Pick<Answer<unknown>, 'headers'>): void {
  says(headers.get('retry-after') ?? '(none)', /^[1-9]\d*$/, 'Retry-After');
}

export const someId = (): string => `conformance-${randomUUID()}`;

/** Creates a task of the contract and gives its id. */
export async function start(server: ServerUnderTest, type: string, input: object = {}, options: CallOptions = {}): Promise<string> {
  const json = { clientRequestId: someId(), taskType: `conformance.${type}`, input };
  const { status, body } = await call<{ taskId: string }>(server, 'POST', '/tasks', { json, ...options });
  holds(status === 201, `POST /tasks was to answer 201, and answered ${status}: ${JSON.stringify(body)}`);
  return body.taskId;
}

export async function page(server: ServerUnderTest, taskId: string, query = '', options: CallOptions = {}): Promise<Page> {
  const { status, body } = await call<Page>(server, 'GET', `/tasks/${taskId}/events${query}`, options);
  holds(status === 200, `GET /tasks/{taskId}/events${query} was to answer 200, and answered ${status}: ${JSON.stringify(body)}`);
  return body;
}

/** All facts after a cursor that are there now, in pages of `maxEvents`. */
export async function log(server: ServerUnderTest, taskId: string, after = '', maxEvents = 500): Promise<WireFact[]> {
  const facts: WireFact[] = [];
  for (let cursor = after; ;) {
    const { events, nextAfterEventId } = await page(server, taskId, `?maxEvents=${maxEvents}&afterEventId=${encodeURIComponent(cursor)}`);
    if (events.length === 0) return facts;
    facts.push(...events);
    holds(
      nextAfterEventId !== null && nextAfterEventId !== cursor,
      `a page after ${cursor || 'nothing'} has the facts ${idsOf(events).slice(0, 5).join(' ')} …, and its nextAfterEventId is ${nextAfterEventId}`,
    );
    cursor = nextAfterEventId;
  }
}

/** The whole log of a task, once it has ended. */
export function ended(server: ServerUnderTest, taskId: string): Promise<WireFact[]> {
  return eventually(
    async () => {
      const facts = await log(server, taskId);
      holds(facts.some(endsLog), `the task was to end; its log is ${typesOf(facts).join(', ')}`);
      return facts;
    },
    patienceOf(server) * 3,
  );
}

/** The id of the question with this number, once it is asked. */
export function openQuestion(server: ServerUnderTest, taskId: string, number = 1): Promise<string> {
  return eventually(async () => {
    const asked = (await log(server, taskId)).filter(({ type }) => type === 'TASK_SUSPENDED');
    const { suspendId } = asked[number - 1]?.payload ?? {};
    if (typeof suspendId !== 'string') throw new Error(`The task was to ask question ${number}, and has asked ${asked.length}.`);
    return suspendId;
  }, patienceOf(server));
}

/** Sends an answer. */
export function act(
  server: ServerUnderTest,
  taskId: string,
  action: { suspendId: string; clientActionId?: string; actionType?: string; payload?: object },
  options: CallOptions = {},
): Promise<Answer<{ status: string }>> {
  const json = { clientActionId: someId(), actionType: 'yes', ...action };
  return call(server, 'POST', `/tasks/${taskId}/actions`, { json, ...options });
}
