import type * as z from 'zod/mini';
import { retryTaskRequest } from '../lists/index.ts';
import * as answers from '../wire/answers.ts';
import * as commands from '../wire/commands.ts';

/** Bodies of requests and answers, and what an event stream sends, by names for a document. */
export const httpSchemas = {
  CreateTaskRequest: commands.createTaskRequest,
  RetryTaskRequest: retryTaskRequest,
  CreateTaskResponse: answers.createTaskResponse,
  TaskListResponse: answers.taskListResponse,
  TaskTypesResponse: answers.taskTypesResponse,
  TaskSnapshot: answers.taskSnapshotResponse,
  PartTextResponse: answers.partTextResponse,
  PollResponse: answers.pollResponse,
  CancelTaskRequest: commands.cancelTaskRequest,
  CancelTaskResponse: answers.cancelTaskResponse,
  SubmitActionRequest: commands.submitActionRequest,
  SubmitActionResponse: answers.submitActionResponse,
  ErrorEnvelope: answers.errorEnvelope,
  Gap: answers.gap,
  StreamHeartbeat: answers.sseHeartbeatFrame,
  StreamGap: answers.sseGapFrame,
  PartFrame: answers.partFrame,
  ExtensionsGranted: answers.extensionsGrantedFrame,
  SubscriptionEnded: answers.subscriptionEndedFrame,
} as const satisfies Readonly<Record<string, z.core.$ZodType>>;
