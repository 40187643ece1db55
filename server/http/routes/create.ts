import { createTaskRequest, type CreateTaskResponse, type ErrorCode } from '../../../machines/wire/index.ts';
import { TaskBridgeError } from '../../errors.ts';
import type { AuthContext } from '../../ports/auth.ts';
import { isShareFull } from '../../shares/limits.ts';
import type { NewTaskRequest } from '../../task/service.ts';
import { answerJson, type Call, type Route, type RouteDeps } from '../call.ts';
import { readJson } from '../json-body.ts';
import { objectText, requiredText } from '../multipart/fields.ts';
import { receiveUpload, type ReceivedUpload } from '../multipart/upload.ts';
import { mediaType } from '../request-body.ts';
import { recorded, type Note } from '../route-record.ts';
import { validate } from '../validation.ts';

const beforeAnythingIsWritten: readonly ErrorCode[] = [
  'INVALID_REQUEST',
  'REQUEST_VALIDATION_ERROR',
  'UPLOAD_VALIDATION_ERROR',
  'TASK_OWNERSHIP_ERROR',
  'IDEMPOTENCY_CONFLICT',
];

/** `POST /tasks`, as JSON or multipart: 201 for a new task, 200 for one that the same request made before. */
export function createRoute(deps: RouteDeps): Route {
  return recorded('http.task.create', deps.records, async (call, note) => {
    if (mediaType(call.ctx.req) === 'multipart/form-data') return createFromMultipart(call, note, deps);
    const { ctx, auth } = call;
    const { input = {}, metadata = {}, ...body } = validate(createTaskRequest, await readJson(ctx.req, deps.options, deps.clock));
    const taskId = deps.service.newTaskId(auth, body.clientRequestId);
    const request: NewTaskRequest = { ...body, taskId, input, metadata, attachments: [] };
    const created = await createNoted(auth, request, note, deps);
    answerJson(ctx, created.deduplicated ? 200 : 201, created);
  });
}

async function createFromMultipart({ ctx, auth }: Call, note: Note, deps: RouteDeps): Promise<void> {
  const { attachments, service } = deps;
  if (!attachments) throw new TaskBridgeError('UPLOAD_VALIDATION_ERROR', 'This server takes no uploads; send application/json.');
  const upload = await receiveUpload(ctx.req, {
    ...deps,
    attachments,
    newTaskId: (clientRequestId) => service.newTaskId(auth, clientRequestId),
    assertHandled: (taskType) => service.assertHandled(taskType),
  });
  const created = await createWithFiles(upload, async () => createNoted(auth, requestOf(upload, deps), note, deps));
  const { ignoredFields } = upload;
  if (ignoredFields.length > 0)
    deps.logger?.info?.('Files of a create were thrown away: their fields are neither attachment nor attachments.', {
      taskId: created.taskId,
      ignoredFields,
    });
  answerJson(ctx, created.deduplicated ? 200 : 201, ignoredFields.length > 0 ? { ...created, ignoredFields } : created);
}

/** Creates a task whose files are kept already, and discards them where they turn out to be nobody's. */
export async function createWithFiles(
  files: Pick<ReceivedUpload, 'taskId' | 'discard'>,
  make: () => Promise<CreateTaskResponse>,
): Promise<CreateTaskResponse> {
  try {
    const created = await make();
    // The files of the task that this request made before are those that count.
    if (created.taskId !== files.taskId) await files.discard();
    return created;
  } catch (thrown) {
    // After any other failure the task may exist and refer to the files; if it does not, the sweeper removes them.
    if (thrown instanceof TaskBridgeError && (beforeAnythingIsWritten.includes(thrown.code) || isShareFull(thrown))) await files.discard();
    throw thrown;
  }
}

function requestOf({ texts, attachments, taskId }: ReceivedUpload, { options }: RouteDeps): NewTaskRequest {
  const {
    input = {},
    metadata = {},
    ...body
  } = validate(createTaskRequest, {
    clientRequestId: requiredText(texts, 'clientRequestId'),
    taskType: requiredText(texts, 'taskType'),
    input: objectText(texts, 'input', options.bodyValuesMax),
    metadata: objectText(texts, 'metadata', options.bodyValuesMax),
  });
  return { ...body, taskId, input, metadata, attachments };
}

/** Creates the task of a request, and notes for its record what is known of it, and what became of it. */
async function createNoted(auth: AuthContext, request: NewTaskRequest, note: Note, deps: RouteDeps): Promise<CreateTaskResponse> {
  note({ clientRequestId: request.clientRequestId });
  const created = await createFor(auth, request, deps);
  note({ taskId: created.taskId, outcome: created.deduplicated ? 'duplicate' : 'created' });
  return created;
}

/** Creates a task that somebody runs, and whose files the host's policy takes. */
export async function createFor(
  auth: AuthContext,
  request: NewTaskRequest,
  { service, uploadPolicy }: Pick<RouteDeps, 'service' | 'uploadPolicy'>,
): Promise<CreateTaskResponse> {
  service.assertHandled(request.taskType);
  return service.create(auth, request, uploadPolicy);
}
