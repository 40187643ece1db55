import { onTestFinished } from 'vitest';
import { memoryAttachments } from 'taskbridge/adapters/memory';
import { createTestBridge, type TestBridgeOptions } from 'taskbridge/server/testing';

/** A bridge whose files can be looked at, and the tasks of one caller; it is closed when the test has finished. */
export async function filesFixture(options: TestBridgeOptions) {
  const attachments = options.attachments ?? memoryAttachments();
  const test = await createTestBridge({ logger: { warn: () => undefined, error: () => undefined }, ...options, attachments });
  onTestFinished(test.close);
  const keys = async (): Promise<string[]> => {
    const found: string[] = [];
    for await (const key of attachments.keys(Number.MAX_SAFE_INTEGER)) found.push(key);
    return found.sort();
  };
  return { ...test, attachments, tasks: test.bridge.tasks({ subject: 'ann' }), keys };
}
