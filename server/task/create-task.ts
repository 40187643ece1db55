import { emptyAggregate, stateOf, statusOf } from '../../machines/index.ts';
import type { CreateTaskResponse, JsonObject } from '../../machines/wire/index.ts';
import { emptyExecutionRecord, recordAttemptEvent, type ExecutionRecord } from '../attempt/execution-record.ts';
import type { AttemptEvent } from '../attempt/attempt.machine.ts';
import type { ReconcileResult } from '../attempt/reconcile-step.ts';
import { withTimeLimit } from '../attempt/time-limit.ts';
import type { TaskContent } from '../attempt/work.ts';
import { refusedTask, unhandled } from '../contract/refusals.ts';
import { checkBySchema } from '../contract/schema-check.ts';
import { TaskBridgeError } from '../errors.ts';
import type { SchemaFault } from '../schema-faults.ts';
import type { AuthContext, UploadPolicy } from '../ports/auth.ts';
import type { Created, NewTask } from '../ports/store.ts';
import { spanning, taskAttributes } from '../observability/task-spans.ts';
import { shareFull, sharesMaxOf } from '../shares/limits.ts';
import { changeOf, noShares, sharesOf } from '../shares/shares-of.ts';
import type { TaskAbout } from './about.ts';
import { asTaskBridgeError } from './command-processor.ts';
import { contentHash } from './content-hash.ts';
import { aboutOf, paramsOf, refusedCreate, showCreated, showMet } from './create-decision.ts';
import { planOf } from './plan.ts';
import type { NewTaskRequest } from './service.ts';
import type { TaskServiceDeps } from './task-service-deps.ts';
import { initialFields, sideValueNames, type TaskRecord } from './task-record.ts';

/** So long a create waits to hear that an executor refuses the task, in milliseconds. */
const START_MS = 500;

/**
 * Writes a task together with its request key in one atomic step. Where this node has room for the work, the claim on it is in that step too, and
 * the executor is asked to start it; a crash in between leaves work that never began, for another node. Else it waits in the store.
 */
export async function createTask(
  deps: TaskServiceDeps,
  auth: AuthContext,
  request: NewTaskRequest,
  uploads?: UploadPolicy,
): Promise<CreateTaskResponse> {
  await assertMayCreate(deps, auth, request, uploads);
  const hash = contentHash({ ...request, ...paramsOf(auth) }, deps.idempotencyPayload);
  return writeTask(deps, auth, request, { hash, check: ({ taskType, input }) => checkedInput(deps, taskType, input) });
}

/** Asks the host's policies. Throws `UPLOAD_VALIDATION_ERROR` and `TASK_OWNERSHIP_ERROR`. */
export async function assertMayCreate(
  deps: TaskServiceDeps,
  auth: AuthContext,
  request: Omit<NewTaskRequest, 'input'>,
  uploads: UploadPolicy | undefined,
): Promise<void> {
  const { taskType, metadata, attachments } = request;
  const refused = await uploads?.refuseUpload(auth, attachments);
  if (refused !== undefined) throw refusedCreate(deps, auth, request, new TaskBridgeError('UPLOAD_VALIDATION_ERROR', refused));
  const refusal = await deps.ownership.refuseCreate?.(auth, { taskType, metadata });
  if (refusal !== undefined) throw refusedCreate(deps, auth, request, new TaskBridgeError('TASK_OWNERSHIP_ERROR', refusal));
}

/** By what a create is told from another, and what is still to be checked of it. */
export interface CreateTerms {
  /** Equal in repeats. */
  readonly hash: string;
  check(request: NewTaskRequest): Promise<CheckedInput>;
}

/** Writes a task, unless one was made by this request before. */
export function writeTask(
  deps: TaskServiceDeps,
  auth: AuthContext,
  request: NewTaskRequest,
  terms: CreateTerms,
): Promise<CreateTaskResponse> {
  const { tracer } = deps;
  if (!tracer) return deps.supervisor.whileOpen(() => writeChecked(deps, auth, request, terms));
  const span = tracer.startSpan('taskbridge.create', { parent: request.trace, attributes: taskAttributes(request) });
  const traced = { ...request, trace: span.context ?? request.trace };
  return spanning(
    span,
    () => deps.supervisor.whileOpen(() => writeChecked(deps, auth, traced, terms)),
    ({ deduplicated, status }) => ({ attributes: { 'taskbridge.outcome': deduplicated ? 'DEDUPLICATED' : status } }),
  );
}

async function writeChecked(
  deps: TaskServiceDeps,
  auth: AuthContext,
  request: NewTaskRequest,
  terms: CreateTerms,
): Promise<CreateTaskResponse> {
  const { taskType, metadata, attachments, taskId } = request;
  const about = aboutOf(auth, request, deps.time.now(), terms.hash);
  const refused = (refusal: TaskBridgeError): TaskBridgeError => refusedCreate(deps, auth, request, refusal);
  const checked = await terms.check(request);
  if (checked.faults) return answerRefused(deps, about, () => refused(refusedTask(checked.faults)));
  const content: TaskContent = { input: checked.input, metadata, attachments };
  // Where he has as much at work as he may, it waits in the store, and no place is kept for it.
  const mayBegin = deps.rooms.take(taskId, taskType) && deps.shares.reserve('active', about.owner);
  try {
    const claimed = newTask(deps, about, content, mayBegin);
    const created = await writeAs(deps, claimed);
    if (!mayBegin || !('full' in created) || created.full !== 'active') return await startTask(deps, claimed, created, refused);
    await deps.shares.ask([about.owner]);
    const unclaimed = newTask(deps, about, content, false);
    return await startTask(deps, unclaimed, await writeAs(deps, unclaimed), refused);
  } finally {
    if (mayBegin) deps.shares.free('active', about.owner);
    deps.rooms.free(taskId);
  }
}

/** The input as it is kept, or what is wrong with the task. */
type CheckedInput = { readonly input: JsonObject; readonly faults?: undefined } | { readonly faults: readonly SchemaFault[] };

async function checkedInput({ contracts, supervisor }: TaskServiceDeps, taskType: string, input: JsonObject): Promise<CheckedInput> {
  if (!supervisor.executorOf(taskType)) return { faults: [unhandled(taskType)] };
  const schema = contracts.typeOf(taskType)?.input;
  if (!schema) return { input };
  const { faults, value } = await checkBySchema(schema, input, 'input');
  if (faults) return { faults };
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new TypeError(`The schema of the input of ${taskType} makes no object of it, and a task's input is one.`);
  // No list, by the line above.
  return { input: value as JsonObject };
}

/** A repeat of a create that was taken is answered as before, whatever has become of the type meanwhile; any other is refused. */
async function answerRefused(deps: TaskServiceDeps, about: TaskAbout, refusal: () => TaskBridgeError): Promise<CreateTaskResponse> {
  const [known] = await deps.store.glance([about.requestKey], []).catch((error: unknown) => {
    throw asTaskBridgeError(error);
  });
  if (!known) throw refusal();
  void deps.supervisor.reconcile(known.taskId);
  return answerAgain(deps, await deps.processor.read(known.taskId), about);
}

/** A task that is about to be written, and what this node knows of it then. */
interface KnownTask {
  readonly task: NewTask;
  readonly record: TaskRecord;
  /** As it would be if this node had not claimed it. */
  readonly unclaimed: TaskRecord;
  /** The claim that it is written with. */
  readonly claim: AttemptEvent | undefined;
  /** What it is created with, as it is written. */
  readonly content: string;
}

function newTask(deps: TaskServiceDeps, about: TaskAbout, given: TaskContent, isClaimed: boolean): KnownTask {
  const { taskId, taskType, requestKey, owner, createdAt } = about;
  const content = JSON.stringify(given);
  const others = given.attachments.reduce((sum, { bytes }) => sum + bytes, Buffer.byteLength(content));
  const empty: ExecutionRecord = { ...emptyExecutionRecord, bytes: { saved: 0, others } };
  // A create that begins the work at once is its own claim.
  const claim: AttemptEvent | undefined = isClaimed
    ? { type: 'attempt.claimed', node: deps.nodeId, startBy: createdAt + deps.settings.startWithinMs }
    : undefined;
  const execution = (claim && recordAttemptEvent(empty, claim)) ?? empty;
  const unclaimed: TaskRecord = { about, revision: 0, aggregate: emptyAggregate, execution: empty };
  const record: TaskRecord = { about, revision: 1, aggregate: emptyAggregate, execution };
  const task: NewTask = {
    taskId,
    requestKey,
    owner,
    taskType,
    fields: initialFields(about, emptyAggregate, execution),
    sideValues: { [sideValueNames.content]: content },
    plan: planOf(record, createdAt, deps.settings),
    state: stateOf(emptyAggregate.task),
    adds: changeOf(noShares, sharesOf(execution)),
    sharesMax: sharesMaxOf(deps.settings),
  };
  return { task, record, unclaimed, claim, content };
}

async function writeAs({ processor, shares, supervisor }: TaskServiceDeps, { task, record, claim }: KnownTask): Promise<Created> {
  try {
    const created = await processor.create(task, claim && record);
    if (created.created) shares.created(task.owner, task.adds);
    return created;
  } catch (error) {
    // It may be written all the same, and its work claimed by this node.
    shares.doubt(task.owner);
    void supervisor.reconcile(task.taskId);
    throw error;
  }
}

async function startTask(
  deps: TaskServiceDeps,
  known: KnownTask,
  created: Created,
  refusal: (why: TaskBridgeError) => TaskBridgeError,
): Promise<CreateTaskResponse> {
  const { claim, content } = known;
  const { about } = known.record;
  const { taskId, taskType, clientRequestId, owner } = about;
  if ('full' in created) {
    deps.recounts.request(owner);
    throw refusal(shareFull(created.full, deps.settings));
  }
  // One that has this very id was written by this very request, whose first reply was lost.
  if (!created.created && created.taskId !== taskId) {
    // Its work begins now, where the node that created it never heard that it had.
    void deps.supervisor.reconcile(created.taskId);
    return answerAgain(deps, await deps.processor.read(created.taskId), about);
  }

  showCreated(deps, known.unclaimed, known.record, known.claim);
  deps.metrics.incrementCounter('task_starts_total');
  if (claim) deps.metrics.incrementCounter('attempts_total', 1, { task_type: taskType });
  // What there is no room for waits in the store: any node that has some takes it, as soon as its owner may have it.
  if (!claim && deps.shares.room(owner) === 0) deps.heldBack.add(owner);
  if (!claim) deps.supervisor.noteReady(taskType);
  const { refused } = claim ? await startedSoon(deps, taskId, created.created ? content : undefined) : {};
  if (refused)
    throw new TaskBridgeError('TASK_SUBMISSION_ERROR', `The executor refused the task: ${refused.message}`, {
      details: { taskId, failure: { ...refused } },
    });
  const state = deps.processor.known(taskId) ?? (await deps.processor.read(taskId));
  return { taskId, status: statusOf(state.aggregate.task), clientRequestId, deduplicated: false };
}

/** What became of the start, where that is known in a moment: the task is written, and whoever made it need not wait for an executor. */
async function startedSoon(
  { clock, supervisor }: TaskServiceDeps,
  taskId: string,
  content: string | undefined,
): Promise<Pick<ReconcileResult, 'refused'>> {
  const visit = content === undefined ? supervisor.reconcile(taskId) : supervisor.begin(taskId, content);
  return withTimeLimit({ clock }, START_MS, visit).catch(() => ({}));
}

/** A repeat of a create; throws `IDEMPOTENCY_CONFLICT` for one of other content. */
export function answerAgain(deps: TaskServiceDeps, met: TaskRecord, asked: TaskAbout): CreateTaskResponse {
  const { about: existing, aggregate } = met;
  const { taskId, clientRequestId } = existing;
  const isSame = existing.contentHash === asked.contentHash;
  showMet(deps, met, asked, isSame ? 'DEDUPLICATED' : 'IDEMPOTENCY_CONFLICT');
  if (!isSame)
    throw new TaskBridgeError(
      'IDEMPOTENCY_CONFLICT',
      `clientRequestId ${JSON.stringify(clientRequestId)} was used for a task of other content; use a new one.`,
      { details: { clientRequestId } },
    );
  return { taskId, status: statusOf(aggregate.task), clientRequestId, deduplicated: true };
}
