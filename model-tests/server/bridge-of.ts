import { onTestFinished } from 'vitest';
import { memoryStore } from '../../adapters/memory/index.ts';
import type { TaskBridgeOptions, TaskExecutor } from '../../server/index.ts';
import { startHost, type RunningHost } from '../conformance/index.ts';

/** A bridge behind a real HTTP server, and calls to it as `alice`. */
export type RunningBridge = RunningHost;

/** Starts a bridge whose times are short; it is closed when the test has finished. */
export async function bridgeOf(executor: TaskExecutor | TaskExecutor[], options: Partial<TaskBridgeOptions> = {}): Promise<RunningBridge> {
  const { store = memoryStore(), ...rest } = options;
  const host = await startHost(executor, { store, ...rest });
  onTestFinished(host.close);
  return host;
}
