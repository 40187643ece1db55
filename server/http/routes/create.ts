import { retryTaskRequest } from '../../../machines/lists/index.ts';
import { createTaskRequest, type CreateTaskResponse } from '../../../machines/wire/index.ts';
import { createWithFiles } from '../../caller/creation.ts';
import { TaskBridgeError } from '../../errors.ts';
import type { AuthContext } from '../../ports/auth.ts';
import type { NewTaskRequest } from '../../task/service.ts';
import { answerJson, type Call, type Route, type RouteDeps } from '../call.ts';
import { readJson } from '../json-body.ts';
import { jsonText, objectText, optionalText, requiredText } from '../multipart/fields.ts';
import { receiveUpload, type ReceivedUpload } from '../multipart/upload.ts';
import { mediaType } from '../request-body.ts';
import { recorded, type Note } from '../route-record.ts';
import { traceContextOf } from '../trace-context.ts';
import { validate } from '../validation.ts';

/** `POST /tasks`, as JSON or multipart: 201 for a new task, 200 for one that the same request made before. */
export function createRoute(deps: RouteDeps): Route {
  return recorded('http.task.create', deps.records, async (call, note) => {
    if (mediaType(call.ctx.req) === 'multipart/form-data') return createFromMultipart(call, note, deps);
    const { ctx } = call;
    const json = await readJson(ctx, deps.options, deps.clock);
    const created = await (isRetry(json) ? retryFrom : createFrom)(json, call, note, deps);
    answerJson(ctx, created.deduplicated ? 200 : 201, created);
  });
}

/** What starts a task again names it, and nothing of what that was created with. */
function isRetry(json: unknown): boolean {
  return typeof json === 'object' && json !== null && Object.hasOwn(json, 'retryOf');
}

function retryFrom(json: unknown, { auth, ctx }: Call, note: Note, deps: RouteDeps): Promise<CreateTaskResponse> {
  const body = validate(retryTaskRequest, json);
  const trace = traceContextOf(ctx.req.headers);
  const request = { ...body, trace, taskId: deps.service.newTaskId(auth, body.clientRequestId) };
  return noted(request, note, () => deps.service.retry(auth, request, deps.uploadPolicy));
}

function createFrom(json: unknown, { auth, ctx }: Call, note: Note, deps: RouteDeps): Promise<CreateTaskResponse> {
  const { input = {}, metadata = {}, ...body } = validate(createTaskRequest, json);
  const taskId = deps.service.newTaskId(auth, body.clientRequestId);
  return createNoted(auth, { ...body, taskId, input, metadata, trace: traceContextOf(ctx.req.headers), attachments: [] }, note, deps);
}

async function createFromMultipart({ ctx, auth }: Call, note: Note, deps: RouteDeps): Promise<void> {
  const { attachments, service } = deps;
  if (!attachments) throw new TaskBridgeError('UPLOAD_VALIDATION_ERROR', 'This server takes no uploads; send application/json.');
  const upload = await receiveUpload(ctx.req, {
    ...deps,
    attachments,
    newTaskId: (clientRequestId) => service.newTaskId(auth, clientRequestId),
    assertHandled: (taskType, clientRequestId) => service.assertHandled(auth, taskType, clientRequestId),
  });
  const created = await createWithFiles(upload, async () =>
    createNoted(auth, { ...requestOf(upload, deps), trace: traceContextOf(ctx.req.headers) }, note, deps),
  );
  const { ignoredFields } = upload;
  if (ignoredFields.length > 0)
    deps.logger?.info?.('Files of a create were thrown away: their fields are neither attachment nor attachments.', {
      taskId: created.taskId,
      ignoredFields,
    });
  answerJson(ctx, created.deduplicated ? 200 : 201, ignoredFields.length > 0 ? { ...created, ignoredFields } : created);
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
    title: optionalText(texts, 'title'),
    labels: jsonText(texts, 'labels', options.bodyValuesMax),
  });
  return { ...body, taskId, input, metadata, attachments };
}

function createNoted(auth: AuthContext, request: NewTaskRequest, note: Note, deps: RouteDeps): Promise<CreateTaskResponse> {
  return noted(request, note, () => deps.service.create(auth, request, deps.uploadPolicy));
}

/** Creates the task of a request, and notes for its record what is known of it, and what became of it. */
async function noted(
  { clientRequestId }: Pick<NewTaskRequest, 'clientRequestId'>,
  note: Note,
  create: () => Promise<CreateTaskResponse>,
): Promise<CreateTaskResponse> {
  note({ clientRequestId });
  const created = await create();
  note({ taskId: created.taskId, outcome: created.deduplicated ? 'duplicate' : 'created' });
  return created;
}
