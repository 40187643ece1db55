/**
 * The server that a Koa app embeds.
 *
 * @packageDocumentation
 */
export type { PreparedReplay } from './caller/prepared-replay.ts';
export type { CallerTasks } from './caller/caller-tasks.ts';
export { createTaskBridge, type TaskBridge } from './bridge.ts';
export type { MountOptions } from './http/mounts.ts';
export { TaskBridgeError, type TaskBridgeErrorOptions } from './errors.ts';
export { httpDefaults, type HttpOptions } from './http/options.ts';
export { streamDefaults, type StreamSettings } from './http/stream-settings.ts';
export type { TaskActor } from './actors/task-actor.ts';
export { liveDefaults, type LiveOptions } from './live/options.ts';
export type { TaskBridgeOptions } from './options.ts';
export type { ReconcileCounts } from './attempt/reconcile-counts.ts';
export type { PruneCounts } from './reconciler.ts';
export {
  systemChance,
  systemClock,
  type AcceptedAction,
  type ActionValidationPolicy,
  type AttachmentReference,
  type AttachmentStore,
  type AttemptRef,
  type AuthContext,
  type AuthContextResolver,
  type Clock,
  type Commit,
  type Created,
  type Entry,
  type EventStore,
  type Fields,
  type Lease,
  type LoadedTask,
  type Logger,
  type LogPage,
  type MetricsSink,
  type NewTask,
  type OwnershipPolicy,
  type PathParams,
  type Question,
  type ReadinessProbe,
  type Resolution,
  type ServerChance,
  type StartOutcome,
  type StopOrder,
  type Store,
  type Tail,
  type TailListener,
  type TaskExecutor,
  type TaskRegistry,
  type UploadPolicy,
  type Work,
  type WorkAttachment,
  type WorkReport,
  type WorkReportOutcome,
  type WorkStatus,
} from './ports/index.ts';
export type { TaskAbout } from './task/about.ts';
export { taskDefaults, type TaskSettings } from './task/settings.ts';
