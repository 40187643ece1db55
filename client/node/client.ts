import type { TaskContract } from '../../machines/contract/index.ts';
import { createClient, type TaskBridgeClient } from '../client.ts';
import type { ContractClient } from '../contract/index.ts';
import type { TaskBridgeClientOptions } from '../options.ts';
import { nodeSockets } from './sockets.ts';

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
