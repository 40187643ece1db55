import type { CreateTaskRequest, SubmitActionRequest } from '../../machines/wire/index.ts';
import { platformClock, type Clock } from '../clock.ts';
import { TaskBridgeClientError } from '../errors.ts';
import type { Transports } from '../options.ts';
import { actedOn, answer, pageOf, refusalAnswer, startedBy, streamOf } from './scripted-answers.ts';
import { scriptedSockets } from './scripted-sockets.ts';
import type { ScriptedTask } from './scripted-task.ts';
import { createScriptedWorld, type ScriptedPolicy, type ScriptedStart, type ScriptedWorld } from './scripted-world.ts';
import { transportOf } from './transport-switch.ts';
import { addressOf } from './address.ts';

/** What a script may decide. */
export interface ScriptedTransportsOptions {
  /** Lets everything in unless it says otherwise. Asked at each call, so it may change its mind. */
  readonly refuse?: ScriptedPolicy;
  /** Dates the facts, and times the waits of polls. Defaults to the platform's. */
  readonly clock?: Clock;
}

/** A server without a network: tasks in the memory of the test. */
export interface ScriptedTransports {
  /** Give it to the client as it is. Nothing is sent there. */
  readonly baseUrl: string;
  /** Give it to the client as it is. Any number of clients may share the tasks. */
  readonly intercept: (transports: Transports) => Transports;
  /** All tasks, in the order in which they were started. */
  readonly tasks: readonly ScriptedTask[];
  /** Throws with code `INVALID_ARGUMENT` for one that was never started. */
  task(taskId: string): ScriptedTask;
  /** Starts a task that no client asked for. */
  start(request: ScriptedStart): ScriptedTask;
  /** Cuts everything that is open, as a lost network does. */
  cut(): void;
}

/**
 * All three transports and the commands of the protocol, played in memory by the same charts as a server's: for an app's own tests. Each task
 * does what the test reports for it. Knows the protocol's own paths behind any prefix, one user, no credentials, no gaps and no limits.
 */
export function scriptedTransports({
  refuse = () => undefined,
  clock = platformClock,
}: ScriptedTransportsOptions = {}): ScriptedTransports {
  const world = createScriptedWorld(clock, refuse);
  const sockets = scriptedSockets(world);
  return {
    baseUrl: 'https://scripted.invalid',
    intercept: () => ({ fetch: (input, init) => fetchFrom(world, addressOf(input), init ?? {}), sockets, forms: undefined }),
    tasks: world.tasks,
    start: world.start,
    task(taskId) {
      const found = world.find(taskId);
      if (!found) throw new TaskBridgeClientError('INVALID_ARGUMENT', `${JSON.stringify(taskId)} was never started here.`);
      return found;
    },
    cut: () => [...world.cuts].forEach((cut) => cut()),
  };
}

async function fetchFrom(world: ScriptedWorld, url: string, init: RequestInit): Promise<Response> {
  const { taskId, verb, query } = readUrl(url);
  const command = verb === 'actions' ? 'act' : verb === 'cancel' ? 'cancel' : 'get';
  const kind = transportOf(url, init) ?? (taskId === undefined ? 'start' : command);
  const refusal = world.refusalOf({ kind, taskId });
  if (refusal) return refusalAnswer(refusal);
  const task = world.find(taskId);
  if (!task) return startedBy(world, await fieldsOf(init));
  const { 'last-event-id': cursor = null } = (init.headers ?? {}) as { readonly 'last-event-id'?: string };
  if (kind === 'sse') return streamOf(world, task, cursor, init.signal);
  if (kind === 'poll') return pageOf(world, task, query, init.signal);
  // The client sends what the wire says.
  if (kind === 'act') return actedOn(task, (await fieldsOf(init)) as SubmitActionRequest);
  if (kind === 'get') return answer(200, task.snapshot());
  const { reason } = (await fieldsOf(init)) as { readonly reason?: string };
  return answer(202, { taskId: task.taskId, status: task.cancel(reason) });
}

function readUrl(url: string) {
  const [path = '', search = ''] = url.split('?');
  const [, taskId, verb] = /\/tasks(?:\/([^/]+))?(?:\/([^/]+))?(?:\/[^/]+)?$/.exec(path) ?? [];
  const pairs = search.split('&').map((pair): [string, string | undefined] => {
    const [name = '', value] = pair.split('=');
    return [name, value && decodeURIComponent(value)];
  });
  return { taskId: taskId && decodeURIComponent(taskId), verb, query: Object.fromEntries(pairs) };
}

/** The fields of a body; those of a form without its files. */
async function fieldsOf({ body, headers }: RequestInit): Promise<Partial<CreateTaskRequest>> {
  if (typeof body === 'string') return JSON.parse(body) as Partial<CreateTaskRequest>;
  const form = body instanceof FormData ? body : await new Response(body ?? null, headers && { headers }).formData();
  const { input, ...texts } = textsOf(form);
  return { ...texts, ...(input !== undefined && { input: JSON.parse(input) as NonNullable<CreateTaskRequest['input']> }) };
}

function textsOf(form: FormData): Readonly<Record<string, string>> {
  // React Native's forms tell their parts, and nothing else.
  const { getParts } = form as { getParts?: () => readonly { readonly fieldName: string; readonly string?: string }[] };
  const parts = getParts ? getParts.call(form).map(({ fieldName, string }) => [fieldName, string] as const) : [...form.entries()];
  return Object.fromEntries(parts.filter((part): part is [string, string] => typeof part[1] === 'string'));
}
