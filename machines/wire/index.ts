/**
 * What goes over the wire: facts, requests, answers and frames, with the schemas that check them. Pure; imports zod only.
 *
 * @packageDocumentation
 */
export { extensionsGrantedFrame, subscriptionConfirmedFrame, subscriptionEndedFrame } from './answers.ts';
export {
  cancelTaskRequest,
  createTaskRequest,
  pollQuery,
  sharedStreamQuery,
  streamQuery,
  submitActionRequest,
  subscribeFrame,
  unsubscribeFrame,
  type ActionStatus,
  type CancelTaskRequest,
  type CancelTaskResponse,
  type CreateTaskRequest,
  type CreateTaskResponse,
  type Gap,
  type PollResponse,
  type SubmitActionRequest,
  type SubmitActionResponse,
  type SubscribeFrame,
  type TaskSnapshotResponse,
  type TaskStatus,
  type UnsubscribeFrame,
} from './commands.ts';
export type { ErrorCode, ErrorEnvelope } from './errors.ts';
export { compareEventIds, eventId, eventNumber, isCursor, isStart, parseEventId, type EventId } from './event-id.ts';
export {
  factTypes,
  isFact,
  isFactType,
  isSuspensionType,
  isTerminalType,
  type Fact,
  type FactBody,
  type FactPayload,
  type FactType,
  type TerminalFactType,
  type UnknownFact,
} from './facts.ts';
export type {
  ControlFrame,
  ExtensionsGrantedFrame,
  GapFrame,
  HeartbeatFrame,
  SseGapFrame,
  SseHeartbeatFrame,
  SubscriptionConfirmedFrame,
  SubscriptionEndedFrame,
} from './frames.ts';
export { jsonFault, type Json, type JsonObject } from './json.ts';
export { limits } from './limits.ts';
export { factSchema, payloads } from './payloads.ts';
export { transportNames, type TransportName } from './transports.ts';
