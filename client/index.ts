/**
 * The client: for browsers, React Native and Node. Needs `fetch` with streams, timers and `TextDecoder`; a `WebSocket` where there is one.
 *
 * @packageDocumentation
 */
export type { AuthAnswer, AuthProvider, AuthRequest } from './auth/credentials.ts';
export { memoryCheckpoints, type CheckpointStore } from './checkpoints/store.ts';
export { createTaskBridgeClient, type TaskBridgeClient } from './client.ts';
export { systemChance, systemClock, type Chance, type Clock } from './clock.ts';
export type { ActRequest, Attachment, CommandOptions, Commands, StartRequest } from './commands/commands.ts';
export { clientErrorCodes, TaskBridgeClientError, type ClientErrorCode, type TaskBridgeClientErrorOptions } from './errors.ts';
export { openGate, type Gate } from './gate.ts';
export type { Observation, ObservationActor, ObserveOptions } from './observation/observation.ts';
export type { ConnectionState, ConnectionView, ObservationSnapshot, TaskView } from './observation/snapshot.ts';
export { defaultClientLimits, type ClientLimits, type TaskBridgeClientOptions } from './options.ts';
export type { Report } from './report.ts';
export { defaultRoutes, type Routes } from './routes.ts';
export type { Socket, SocketListener, SocketPort, SocketRequest, WebSocketConstructor } from './transports/socket.ts';
export type {
  CancelTaskResponse,
  Continuity,
  CreateTaskResponse,
  EventId,
  Fact,
  FactPayload,
  FactType,
  Json,
  JsonObject,
  Strategy,
  SubmitActionResponse,
  TaskSnapshotResponse,
  TaskState,
  TaskStatus,
  TransportName,
  UnknownFact,
} from '../machines/index.ts';
export { isFact } from '../machines/index.ts';
