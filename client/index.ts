/**
 * The client: for browsers, React Native and Node. Needs `fetch` with streams, timers and `TextDecoder`; a `WebSocket` where there is one.
 *
 * @packageDocumentation
 */
export type { AuthAnswer, AuthProvider, AuthRequest, CallContext, ExpiringCredentials } from './auth/credentials.ts';
export { indexedDbCheckpoints, type IndexedDbCheckpointsOptions } from './checkpoints/indexed-db.ts';
export { memoryCheckpoints, type CheckpointStore } from './checkpoints/store.ts';
export { webStorageCheckpoints } from './checkpoints/web-storage.ts';
export { createTaskBridgeClient, type TaskBridgeClient } from './client.ts';
export { platformChance, platformClock, type Chance, type Clock } from './clock.ts';
export type { ActRequest, CommandOptions, Commands, StartOptions, StartRequest } from './commands/commands.ts';
export type { Attachment, AttachmentContent, UploadListener, UploadProgress } from './commands/upload.ts';
export { TaskBridgeClientError, type ClientErrorCode } from './errors.ts';
export { asFailure, asProgress, isTerminalFact } from './facts.ts';
export { browserGate, openGate, type BrowserGateOptions, type Gate } from './gate.ts';
export type { TransportListener, TransportMoment } from './listener.ts';
export { idleSnapshot } from './observation/idle.ts';
export type { ObservationActor } from './observation/notifier.ts';
export type { Observation, ObserveOptions } from './observation/observation.ts';
export type { ConnectionState, ConnectionView, Known, ObservationSnapshot, TaskView } from './observation/snapshot.ts';
export { defaultClientLimits, type ClientLimits, type TaskBridgeClientOptions, type Transports } from './options.ts';
export type { ClientReport } from './report.ts';
export { routesOf, type Routes } from './routes.ts';
export type { Classification, Continuity, Strategy, TaskState } from '../machines/index.ts';
export { isFact, type Fact, type TransportName, type UnknownFact } from '../machines/wire/index.ts';
