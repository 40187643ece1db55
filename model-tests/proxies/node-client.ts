import { createTaskBridgeClient, type TaskBridgeClient, type TaskBridgeClientOptions } from 'taskbridge/client/node';
import { onTestFinished } from 'vitest';

/** A client of Node with its defaults, and what it survived. */
export interface NodeClient {
  readonly client: TaskBridgeClient;
  /** The connections that it lost so far: by which transport, and why. */
  readonly losses: readonly string[];
  /** Resolves when it loses the next one. */
  untilLost(): Promise<void>;
}

/** Makes one for Ada, who is known by her token; closed when the test has finished. Tests that run beside each other hand in their own `finished`. */
export function nodeClient(baseUrl: string, options: Partial<TaskBridgeClientOptions> = {}, finished = onTestFinished): NodeClient {
  const losses: string[] = [];
  const waiting = new Set<() => void>();
  const client = createTaskBridgeClient({
    baseUrl,
    auth: () => 'ada',
    onReport(report) {
      if (report.type !== 'lost') return;
      losses.push(`${report.transport}: ${report.reason}`);
      for (const goOn of waiting) goOn();
      waiting.clear();
    },
    ...options,
  });
  finished(() => client.close());
  return { client, losses, untilLost: () => new Promise((resolve) => waiting.add(resolve)) };
}
