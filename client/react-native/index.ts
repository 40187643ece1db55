/**
 * What an app in React Native adds to `taskbridge/client`: WebSockets that send headers, checkpoints and an outbox in AsyncStorage, and a gate
 * of NetInfo and AppState. All three are given by the app; no package is asked for.
 *
 * @packageDocumentation
 */
import type { TaskContract } from '../../machines/contract/index.ts';
import { createClient, type TaskBridgeClient } from '../client.ts';
import type { ContractClient } from '../contract/index.ts';
import type { TaskBridgeClientOptions } from '../options.ts';
import { nativeSockets, type NativeWebSocketConstructor } from './sockets.ts';

export {
  reactNativeGate,
  type AppStatePort,
  type NetInfoPort,
  type NetInfoWord,
  type ReactNativeGate,
  type ReactNativeGateOptions,
} from './gate.ts';
export { nativeSockets, type NativeWebSocketConstructor } from './sockets.ts';
export type { AsyncTextStorage } from './storage.ts';
export { asyncStorageCheckpoints } from './storage-checkpoints.ts';
export { asyncStorageOutbox, type AsyncStorageOutboxOptions } from './storage-outbox.ts';
export type { Attachment, AttachmentContent, NativeFile } from '../commands/upload.ts';
export type { TaskBridgeClient } from '../client.ts';
export type { TaskBridgeClientOptions } from '../options.ts';

/**
 * Makes a client that uses the platform's WebSocket with headers unless it is given other sockets; everything else is as in
 * `taskbridge/client`: server-sent events only where `fetch` has body streams, long polls where no WebSocket holds. Throws with code
 * `INVALID_ARGUMENT` where an option cannot be right.
 */
export function createTaskBridgeClient(options: TaskBridgeClientOptions): TaskBridgeClient;
export function createTaskBridgeClient<C extends TaskContract>(options: TaskBridgeClientOptions): ContractClient<C>;
// Once more: the last is what `ReturnType` sees.
export function createTaskBridgeClient(options: TaskBridgeClientOptions): TaskBridgeClient;
export function createTaskBridgeClient(options: TaskBridgeClientOptions): TaskBridgeClient {
  // Its type is that of browsers, who know two arguments.
  const { WebSocket: Constructor } = globalThis as { WebSocket?: unknown };
  return createClient(options, Constructor === undefined ? undefined : nativeSockets(Constructor as NativeWebSocketConstructor));
}
