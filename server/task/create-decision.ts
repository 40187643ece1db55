import type { ExistenceIntent } from '../actors/unit-trace.ts';
import type { AttemptEvent } from '../attempt/attempt.machine.ts';
import type { TaskBridgeError } from '../errors.ts';
import type { AuthContext } from '../ports/auth.ts';
import type { TaskAbout } from './about.ts';
import { requestKeyOf } from './content-hash.ts';
import { decision } from './early-decision.ts';
import type { NewTaskRequest } from './service.ts';
import type { TaskRecord } from './task-record.ts';
import type { TaskServiceDeps } from './task-service-deps.ts';

type Deps = Pick<TaskServiceDeps, 'processor' | 'source' | 'time'>;
/** What is known of a task before it is made: of one whose content was not read yet, not all. */
type Asked = Pick<NewTaskRequest, 'taskId' | 'taskType' | 'clientRequestId' | 'title' | 'labels' | 'trace'>;

/** What never changes about the task that a request asks for. */
export function aboutOf(auth: AuthContext, asked: Asked, createdAt: number, contentHash: string): TaskAbout {
  const { taskId, taskType, clientRequestId, title, labels = [], trace } = asked;
  return {
    taskId,
    taskType,
    clientRequestId,
    owner: auth.subject,
    ...paramsOf(auth),
    ...(title !== undefined && { title }),
    ...(labels.length > 0 && { labels }),
    ...(trace && { trace }),
    contentHash,
    requestKey: requestKeyOf(auth.subject, clientRequestId),
    createdAt,
  };
}

/** What stood in the path of a create, where that has names. */
export function paramsOf({ params }: AuthContext): Pick<TaskAbout, 'params'> {
  return params && Object.keys(params).length > 0 ? { params } : {};
}

/** Shows an inspector a create that became no task; gives the refusal back, to be thrown. */
export function refusedCreate(
  { processor, source, time }: Deps,
  auth: AuthContext,
  asked: Asked,
  refusal: TaskBridgeError,
): TaskBridgeError {
  processor.decided(() => {
    const about = aboutOf(auth, asked, time.now(), '');
    return { about, entry: decision(source, creation(about), refusal.code) };
  });
  return refusal;
}

/** Shows an inspector a create that wrote its task, and the claim that was in it. */
export function showCreated({ processor, source }: Deps, before: TaskRecord, after: TaskRecord, claim: AttemptEvent | undefined): void {
  processor.decided(() => ({
    before,
    after,
    entries: [decision(source, creation(after.about)), ...(claim ? [{ kind: 'attempt' as const, event: claim }] : [])],
  }));
}

/** Shows an inspector a create that met the task which its request made before, or one of other content. */
export function showMet(
  { processor, source }: Deps,
  met: TaskRecord,
  asked: TaskAbout,
  refusal: 'DEDUPLICATED' | 'IDEMPOTENCY_CONFLICT',
): void {
  processor.decided(() => {
    const now = processor.known(met.about.taskId) ?? met;
    return { before: now, after: now, entries: [decision(source, creation(asked), refusal)] };
  });
}

function creation({ clientRequestId, taskType, title, labels }: TaskAbout): ExistenceIntent {
  return { type: 'task.create', clientRequestId, taskType, ...(title !== undefined && { title }), ...(labels && { labels }) };
}
