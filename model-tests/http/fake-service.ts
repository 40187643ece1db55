import { Readable } from 'node:stream';
import type { Json, SubmitActionResponse } from '../../machines/wire/index.ts';
import { TaskBridgeError, taskNotFound } from '../../server/errors.ts';
import type { NewTaskRequest, TaskService } from '../../server/task/service.ts';
import type { AuthContext } from '../../server/ports/index.ts';

/** Tasks that the fake knows from the start; both are Ada's. */
export const RUNNING = `a7${'0'.repeat(30)}`;
export const FINISHED = `a7${'f'.repeat(30)}`;

function assertHandled(taskType: string): void {
  if (taskType === 'unhandled')
    throw new TaskBridgeError('REQUEST_VALIDATION_ERROR', 'Nobody handles it.', {
      details: { errors: [{ path: 'taskType', reason: 'is not handled' }] },
    });
}

/** A service that keeps no log: each special task type, action type and id gives one answer of the table. */
export function fakeService() {
  const created = new Map<string, { readonly request: NewTaskRequest; readonly content: string }>();
  const calls: { readonly verb: string; readonly taskId: string; readonly args: readonly unknown[] }[] = [];
  let count = 0;

  const find = (auth: AuthContext, taskId: string) => {
    const own = [...created.values()].some(({ request }) => request.taskId === taskId) || taskId === RUNNING || taskId === FINISHED;
    if (!own || auth.subject !== 'ada') throw taskNotFound(taskId);
    return { taskId, taskType: 'report', clientRequestId: 'r1', owner: 'ada', contentHash: '', requestKey: '', createdAt: 0 };
  };

  const service: TaskService = {
    newTaskId: (_auth, clientRequestId) =>
      `${clientRequestId.length.toString(16).padStart(2, '0').slice(-2)}${(++count).toString(16).padStart(30, '0')}`,
    assertHandled: (_auth, taskType) => assertHandled(taskType),
    types: async () => ({ types: [] }),
    async create(auth, request, uploads) {
      const { taskId, clientRequestId, taskType, input, attachments } = request;
      const refused = await uploads?.refuseUpload(auth, attachments);
      if (refused !== undefined) throw new TaskBridgeError('UPLOAD_VALIDATION_ERROR', refused);
      assertHandled(taskType);
      calls.push({ verb: 'create', taskId, args: [request] });
      const thrown = creates[taskType];
      if (thrown) throw thrown();
      const key = `${auth.subject} ${clientRequestId}`;
      const content = JSON.stringify([taskType, input, attachments.map(({ sha256 }) => sha256)] satisfies Json);
      const existing = created.get(key);
      if (existing && existing.content !== content)
        throw new TaskBridgeError('IDEMPOTENCY_CONFLICT', 'The key was used for other content.', { details: { clientRequestId } });
      if (!existing) created.set(key, { request, content });
      return {
        taskId: existing?.request.taskId ?? taskId,
        status: existing ? 'RUNNING' : 'ACCEPTED',
        clientRequestId,
        deduplicated: existing !== undefined,
      };
    },
    attachment: async (auth, taskId, name) => {
      find(auth, taskId);
      return { name, contentType: 'text/csv', bytes: 3, sha256: 'abc', open: async () => Readable.from([Buffer.from('x,y')]) };
    },
    partText: async (auth, taskId, partNumber, { offset }) => {
      find(auth, taskId);
      const at = { bytes: 4, at: offset, to: 4, text: 'text'.slice(offset) };
      return { taskId, part: Number(partNumber), eventId: `${partNumber}-1790000000000`, open: false, outcome: 'DONE', ...at };
    },
    retry: async (auth, { taskId, clientRequestId, retryOf }) => {
      find(auth, retryOf);
      return { taskId, status: 'ACCEPTED', clientRequestId, deduplicated: false };
    },
    authorize: async (auth, taskId) => find(auth, taskId),
    forget: () => undefined,
    async snapshot(auth, taskId) {
      find(auth, taskId);
      return {
        taskId,
        taskType: 'report',
        clientRequestId: 'r1',
        status: 'RUNNING',
        state: 'running',
        progress: { progress: 40, stage: 'read' },
        suspensions: [],
        firstEventId: '1-1790000000000',
        lastEventId: '2-1790000000001',
        createdAt: '2026-09-21T14:13:20.000Z',
        updatedAt: '2026-09-21T14:13:20.001Z',
        json: {},
      };
    },
    async *list(auth, query) {
      calls.push({ verb: 'list', taskId: '', args: [query] });
      if (auth.subject === 'ada') {
        const { json: _, ...snapshot } = await service.snapshot(auth, RUNNING);
        yield { json: Buffer.from(JSON.stringify(snapshot)), nextAfter: `1-${'0'.repeat(64)}` };
      }
      yield { nextAfter: null };
    },
    async remove(auth, taskId) {
      calls.push({ verb: 'remove', taskId, args: [] });
      if (taskId === RUNNING && auth.subject === 'ada') throw new TaskBridgeError('TASK_NOT_ENDED', 'It runs.');
    },
    async cancel(auth, taskId, reason) {
      find(auth, taskId);
      calls.push({ verb: 'cancel', taskId, args: [reason] });
      return { taskId, status: taskId === FINISHED ? 'ALREADY_TERMINAL' : 'CANCELLATION_REQUESTED' };
    },
    async act(auth, taskId, action) {
      find(auth, taskId);
      calls.push({ verb: 'act', taskId, args: [action] });
      const { suspendId, clientActionId, actionType } = action;
      if (suspendId === 'unknown') throw new TaskBridgeError('TASK_NOT_FOUND', 'There is no such suspension.');
      if (actionType === 'other') throw new TaskBridgeError('ACTION_NOT_ALLOWED', 'The suspension takes approve.');
      return { taskId, suspendId, clientActionId, status: actions[actionType] ?? 'ACCEPTED' };
    },
  };
  return { service, calls, created };
}

const actions: Readonly<Record<string, SubmitActionResponse['status']>> = {
  again: 'DEDUPLICATED',
  late: 'REJECTED_ALREADY_RESOLVED',
  expired: 'REJECTED_EXPIRED',
};

const creates: Readonly<Record<string, () => Error>> = {
  forbidden: () => new TaskBridgeError('TASK_OWNERSHIP_ERROR', 'You may not create reports.'),
  refused: () => new TaskBridgeError('TASK_SUBMISSION_ERROR', 'The executor refused the task.', { details: { taskId: RUNNING } }),
  busy: () => new TaskBridgeError('RATE_LIMITED', 'Too many at once.', { retryAfterSeconds: 7 }),
  down: () => new TaskBridgeError('STORE_UNAVAILABLE', 'The store did not answer.', { cause: new Error('secret') }),
  broken: () => new Error('secret'),
};
