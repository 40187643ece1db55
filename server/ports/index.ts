/** The ports: what a host or an adapter gives the server. */
export { TaskBridgeError } from '../errors.ts';
export type { AttachmentReference, AttachmentStore } from './attachments.ts';
export type {
  ActionValidationPolicy,
  AuthContext,
  AuthContextResolver,
  OwnershipPolicy,
  PathParams,
  TaskAccess,
  UploadPolicy,
} from './auth.ts';
export type { NameBackfill, OwnedName, RequestsPage } from './backfill.ts';
export { systemChance, type ServerChance } from './chance.ts';
export { monotonicMs, steadyClock, systemClock, type Clock } from './clock.ts';
export type {
  AcceptedAction,
  AttemptRef,
  HeardEnd,
  ListAttachment,
  NewWorkAttachment,
  OpenedPart,
  PartReport,
  ReportRefusal,
  Resolution,
  StartOutcome,
  StopOrder,
  TaskExecutor,
  Work,
  WorkAttachment,
  WorkParts,
  WorkReport,
  WorkReportOutcome,
  WorkStatus,
} from './executor.ts';
export { faultLogger } from './fault-logger.ts';
export { hostLogger } from './host-logger.ts';
export { MinHeap, type HeapItem } from './min-heap.ts';
export type {
  Logger,
  MetricsSink,
  ReadinessAnswer,
  ReadinessDetails,
  ReadinessProbe,
  TransportDiagnosticsSink,
  TransportName,
  ViewerTransport,
} from './observability.ts';
export {
  LATEST_BYTES_MAX,
  type ClosedLane,
  type Epoch,
  type Fence,
  type FlushOutcome,
  type LaneChanges,
  type LaneFlush,
  type Lanes,
  type NewestOfTask,
  type PartPage,
} from './lanes.ts';
export {
  shareNames,
  type CountChange,
  type Glance,
  type Listed,
  type Name,
  type OwnerCounts,
  type OwnerRegistry,
  type OwnersPage,
  type Shares,
} from './owners.ts';
export { assertOptionNames, type OptionNames } from './options.ts';
export type { Question } from './question.ts';
export type {
  Commit,
  Created,
  Entry,
  EventStore,
  Fields,
  HeldPage,
  Lease,
  LoadedTask,
  LogPage,
  NewTask,
  Plan,
  PlannedWork,
  Renewal,
  Store,
  Tail,
  TailListener,
  TakenTasks,
  TakeRequest,
  TaskRegistry,
  WorkRegistry,
} from './store.ts';
export type { TraceContext } from './tracing.ts';
