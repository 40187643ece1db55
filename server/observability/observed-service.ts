import { TaskBridgeError } from '../errors.ts';
import type { AuthContext, UploadPolicy } from '../ports/auth.ts';
import type { MetricsSink } from '../ports/observability.ts';
import type { NewTaskRequest, TaskService } from '../task/service.ts';
import type { RecordWriter } from './record-writer.ts';

/** Refusals of a host's policies, and a request id that was used for another. */
const denials: ReadonlySet<string> = new Set(['TASK_OWNERSHIP_ERROR', 'UPLOAD_VALIDATION_ERROR', 'IDEMPOTENCY_CONFLICT']);

/** The same service; what it answers is counted and recorded, whoever asked: routes, sockets or the host itself. */
export function observedService(
  service: TaskService,
  { metrics, records }: { readonly metrics: MetricsSink; readonly records: RecordWriter },
): TaskService {
  async function create(auth: AuthContext, request: NewTaskRequest, uploads?: UploadPolicy): ReturnType<TaskService['create']> {
    const about = { clientRequestId: request.clientRequestId, userId: auth.subject, transport: 'internal' } as const;
    try {
      const answer = await service.create(auth, request, uploads);
      const { taskId, status: outcome, deduplicated } = answer;
      if (deduplicated) metrics.incrementCounter('duplicates_total');
      records(deduplicated ? 'task.create.duplicate' : 'task.create.accepted')?.({ taskId, ...about, outcome });
      return answer;
    } catch (thrown) {
      const outcome = thrown instanceof TaskBridgeError ? thrown.code : undefined;
      if (outcome === 'TASK_SUBMISSION_ERROR') records('task.create.submit_failed')?.({ taskId: request.taskId, ...about, outcome });
      if (outcome !== undefined && denials.has(outcome)) records('task.create.denied')?.({ ...about, outcome });
      throw thrown;
    }
  }

  return {
    ...service,
    create,
    async cancel(auth, taskId, reason) {
      const answer = await service.cancel(auth, taskId, reason);
      const { status: outcome } = answer;
      const name = outcome === 'ALREADY_TERMINAL' ? 'task.cancel.skipped_terminal' : 'task.cancel.requested';
      records(name)?.({ taskId, userId: auth.subject, transport: 'internal', outcome });
      return answer;
    },
    async act(auth, taskId, action) {
      const answer = await service.act(auth, taskId, action);
      const { status } = answer;
      metrics.incrementCounter('actions_total', 1, { status });
      if (status === 'DEDUPLICATED') metrics.incrementCounter('duplicates_total');
      return answer;
    },
  };
}
