/**
 * The client with what Node adds: WebSockets that send headers and show the status of a refused upgrade, and checkpoints in a file.
 *
 * @packageDocumentation
 */
import type { TaskContract } from '../../machines/contract/index.ts';
import { createClient, type TaskBridgeClient } from '../client.ts';
import type { ContractClient } from '../contract-client.ts';
import type { TaskBridgeClientOptions } from '../options.ts';
import { nodeSockets } from './sockets.ts';

export {
  asFailure,
  asProgress,
  defaultClientLimits,
  idleSnapshot,
  isFact,
  isTerminalFact,
  memoryCheckpoints,
  openGate,
  platformChance,
  platformClock,
  routesOf,
  TaskBridgeClientError,
  type ActRequest,
  type Attachment,
  type AttachmentContent,
  type AuthAnswer,
  type AuthProvider,
  type AuthRequest,
  type CallContext,
  type Chance,
  type CheckpointStore,
  type Classification,
  type ClientErrorCode,
  type ClientLimits,
  type ClientReport,
  type Clock,
  type CommandOptions,
  type Commands,
  type ConnectionState,
  type ConnectionView,
  type Continuity,
  type ExpiringCredentials,
  type Fact,
  type Gate,
  type Known,
  type Observation,
  type ObservationActor,
  type ObservationSnapshot,
  type ObserveOptions,
  type Routes,
  type StartOptions,
  type StartRequest,
  type Strategy,
  type TaskBridgeClient,
  type TaskBridgeClientOptions,
  type TaskState,
  type TaskView,
  type TransportListener,
  type TransportMoment,
  type TransportName,
  type Transports,
  type UnknownFact,
  type UploadListener,
  type UploadProgress,
} from '../index.ts';
export { fileCheckpoints, type FileCheckpointsOptions } from './file-checkpoints.ts';
export { fileOutbox, type FileOutboxOptions } from './file-outbox.ts';
export { nodeSockets } from './sockets.ts';

/** As many as a server lets one owner have; Node itself has no limit. */
const HELD_REQUESTS_MAX = 1000;

/** Makes a client that uses `ws` unless it is given other sockets, and holds many requests; everything else is as in `taskbridge/client`. */
export function createTaskBridgeClient(options: TaskBridgeClientOptions): TaskBridgeClient;
export function createTaskBridgeClient<C extends TaskContract>(options: TaskBridgeClientOptions): ContractClient<C>;
// Once more: the last is what `ReturnType` sees.
export function createTaskBridgeClient(options: TaskBridgeClientOptions): TaskBridgeClient;
export function createTaskBridgeClient(options: TaskBridgeClientOptions): TaskBridgeClient {
  return createClient({ ...options, limits: { heldRequestsMax: HELD_REQUESTS_MAX, ...options.limits } }, nodeSockets());
}
