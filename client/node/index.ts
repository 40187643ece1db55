/**
 * The client with what Node adds: WebSockets that send headers and show the status of a refused upgrade, and checkpoints in a file.
 *
 * @packageDocumentation
 */
import { createClient, type TaskBridgeClient } from '../client.ts';
import type { TaskBridgeClientOptions } from '../options.ts';
import { nodeSockets } from './sockets.ts';

export * from '../index.ts';
export { fileCheckpoints, type FileCheckpointsOptions } from './file-checkpoints.ts';
export { fileOutbox, type FileOutboxOptions } from './file-outbox.ts';
export { nodeSockets } from './sockets.ts';

/** Makes a client that uses `ws` unless it is given other sockets; everything else is as in `taskbridge/client`. */
export function createTaskBridgeClient(options: TaskBridgeClientOptions): TaskBridgeClient {
  return createClient(options, nodeSockets());
}
