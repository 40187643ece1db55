import type { CreateTaskRequest, SubmitActionRequest } from '../../machines/wire/index.ts';
import type { InnerScriptedTask } from './scripted-task.ts';
import { envelopeOf, follow, type ScriptedCallRefusal, type ScriptedWorld } from './scripted-world.ts';

type Signal = AbortSignal | null | undefined;

/** An open answer: how it ends, once, by its own doing or because it is cut. */
function held(world: ScriptedWorld, signal: Signal, cutShort: () => void): { readonly end: (finish: () => void) => void } {
  let isOver = false;
  const end = (finish: () => void): void => {
    if (isOver) return;
    isOver = true;
    world.cuts.delete(cut);
    signal?.removeEventListener('abort', cut);
    finish();
  };
  const cut = (): void => end(cutShort);
  world.cuts.add(cut);
  signal?.addEventListener('abort', cut);
  return { end };
}

const wasCut = (): TypeError => new TypeError('It was cut.');

/** The facts after a cursor as server-sent events, for as long as the log grows. */
export function streamOf(world: ScriptedWorld, task: InnerScriptedTask, cursor: string | null, signal: Signal): Response {
  let stop = (): void => undefined;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      const encoder = new TextEncoder();
      const say = (frame: object): void => controller.enqueue(encoder.encode(`data: ${JSON.stringify(frame)}\n\n`));
      const { end } = held(world, signal, () => (leave(), controller.error(wasCut())));
      const createdAt = new Date(world.clock.now()).toISOString();
      say({ type: 'HEARTBEAT', taskId: task.taskId, eventId: '0-0', createdAt, payload: { live: true, extensions: ['gap'] } });
      const leave = follow(task, cursor, say, () => end(() => controller.close()));
      stop = () => end(leave);
    },
    cancel: () => stop(),
  });
  return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
}

/** One page of facts, or a wait for one. */
export function pageOf(
  world: ScriptedWorld,
  task: InnerScriptedTask,
  query: Readonly<Record<string, string | undefined>>,
  signal: Signal,
): Promise<Response> {
  const cursor = query['afterEventId'] ?? null;
  const waitMs = Number(query['waitTimeoutMs']);
  const page = (): Response => {
    const all = task.after(cursor);
    const events = all.slice(0, Number(query['maxEvents'] ?? 100));
    const hasMore = events.length < all.length;
    const nextAfterEventId = events.at(-1)?.eventId ?? cursor;
    return answer(200, { taskId: task.taskId, events, nextAfterEventId, hasMore, terminal: task.isOver && !hasMore });
  };
  if (task.after(cursor).length > 0 || task.isOver || !(waitMs > 0)) return Promise.resolve(page());
  return new Promise((resolve, reject) => {
    const finish = (then: () => void) => (): void => {
      unwatch();
      world.clock.clearTimeout(timer);
      then();
    };
    const { end } = held(
      world,
      signal,
      finish(() => reject(wasCut())),
    );
    const answerNow = (): void => end(finish(() => resolve(page())));
    const unwatch = task.watch(answerNow);
    const timer = world.clock.setTimeout(answerNow, waitMs);
  });
}

/** A start: the same task for the same request. */
export function startedBy(world: ScriptedWorld, request: Partial<CreateTaskRequest>): Response {
  const known = world.tasks.find(({ clientRequestId }) => clientRequestId === request.clientRequestId);
  const { taskId, clientRequestId, snapshot } = known ?? world.start({ ...request, taskType: request.taskType ?? '' });
  return answer(known ? 200 : 201, { taskId, status: snapshot().status, clientRequestId, deduplicated: known !== undefined });
}

/** An answer to a question. */
export function actedOn(task: InnerScriptedTask, request: SubmitActionRequest): Response {
  const status = task.act(request);
  if (status === 'TASK_NOT_FOUND') return refusalAnswer({ status: 404, code: status });
  if (status === 'ACTION_NOT_ALLOWED') return refusalAnswer({ status: 422, code: status });
  if (status === 'IDEMPOTENCY_CONFLICT') return refusalAnswer({ status: 409, code: status });
  const { suspendId, clientActionId } = request;
  return answer(status === 'DEDUPLICATED' ? 200 : 202, { taskId: task.taskId, suspendId, clientActionId, status });
}

/** A refusal with its envelope. */
export function refusalAnswer(refusal: ScriptedCallRefusal): Response {
  const { status, retryAfterSeconds } = refusal;
  return answer(status, envelopeOf(refusal), retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) });
}

/** JSON with a status. */
export function answer(status: number, body: object, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json', ...headers } });
}
