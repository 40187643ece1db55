/**
 * The server that a Koa app embeds.
 *
 * @packageDocumentation
 */
export { createTaskBridge, DEFAULT_PREFIX, type TaskBridge } from './bridge.ts';
export { TaskBridgeError, type TaskBridgeErrorOptions } from './errors.ts';
export { httpDefaults, type HttpOptions } from './http/options.ts';
export type { TaskActor } from '../machines/index.ts';
export { liveDefaults, type LiveOptions } from './live/options.ts';
export type { TaskBridgeOptions } from './options.ts';
export * from './ports/index.ts';
export type { TaskAbout } from './task/about.ts';
export { taskDefaults, type TaskSettings } from './task/settings.ts';
