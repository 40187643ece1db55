import type { ReportIntent } from '../../machines/index.ts';
import type { AttachmentReference, AttemptRef, PathParams, ReportRefusal, Resolution, TraceContext } from '../../server/ports/index.ts';
import type { FactPayload, JsonObject } from '../../machines/wire/index.ts';

// What host, workflow and worker say to each other. Nothing here may need Node: the workflow sandbox loads it.

/** What a workflow is started with. */
export interface TaskInput {
  readonly taskId: string;
  /** The attempt that the workflow was started for; a later one may take it over. */
  readonly attempt: number;
  readonly taskType: string;
  readonly owner: string;
  readonly clientRequestId: string;
  readonly input: JsonObject;
  readonly metadata: JsonObject;
  /** What stood in the path of the request that created the task, by the names of its route. Missing where that has none. */
  readonly params?: PathParams;
  /** By reference: activities open them from the attachment store. */
  readonly attachments: readonly AttachmentReference[];
  /** Where the attempt stands in its task's trace. Missing where nobody traces. */
  readonly traceContext?: TraceContext;
}

/** Names a task to the activities of its workflow. */
export interface FlowTaskRef extends AttemptRef {
  /** Where the attempt stands in its task's trace. */
  readonly traceContext?: TraceContext;
}

/** Signals of the host to a workflow; each may come twice. */
export const signalNames = {
  /** A number: from now on this attempt of the task counts; and where it stands in the task's trace, where anybody traces. */
  attempt: 'taskbridge.attempt',
  /** A `Resolution`: how a question ended. */
  resolution: 'taskbridge.resolution',
  /** A `StopOrder`: why the work has to stop. */
  stop: 'taskbridge.stop',
} as const;

/** The update that hands a `Resolution` over where answers go by updates. */
export const RESOLUTION_UPDATE = 'taskbridge.resolve';

/** An intent as a workflow says it: deadlines are spans, because only the store knows the time. */
export type ReportedIntent =
  | Exclude<ReportIntent, { readonly type: 'report.suspended' }>
  | {
      readonly type: 'report.suspended';
      readonly payload: Omit<FactPayload<'TASK_SUSPENDED'>, 'expiresAt'>;
      readonly expiresInMs?: number;
    }
  | {
      /** A question of a contract, of which the worker knows more than the sandbox. */
      readonly type: 'report.asked';
      readonly taskType: string;
      readonly key: string;
      readonly payload: Pick<FactPayload<'TASK_SUSPENDED'>, 'suspendId' | 'uiHints' | 'interaction'> & {
        readonly allowedActions?: readonly string[];
      };
      readonly expiresInMs?: number;
    };

/** One report, committed whole or not at all. */
export interface WorkflowReport {
  readonly seq: number;
  readonly intents: readonly ReportedIntent[];
}

/** What the activity `taskbridgeReport` gets: reports in their order. */
export interface ReportCall {
  readonly taskId: string;
  readonly attempt: number;
  readonly reports: readonly WorkflowReport[];
}

/** What became of one report. */
export type ReportAnswer =
  /** `refusals[i]` says why intent `i` became no fact; `resolution` how a question ended that had been asked before. */
  | { readonly status: 'taken'; readonly refusals: readonly (ReportRefusal | null)[]; readonly resolution?: Resolution }
  /** It breaks a schema or a limit; nothing of it was written. */
  | { readonly status: 'invalid'; readonly message: string }
  /** Another attempt counts now, or the task has ended. No later report of the call was sent. */
  | { readonly status: 'fenced' }
  /** The task is no more. */
  | { readonly status: 'gone' };
