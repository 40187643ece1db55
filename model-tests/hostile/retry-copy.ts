import { memoryAttachments } from 'taskbridge/adapters/memory';
import type { AttachmentStore, TaskSettings } from 'taskbridge/server';
import { createTestBridge } from 'taskbridge/server/testing';
import { expect, onTestFinished } from 'vitest';
import { quiesce } from '../live/hub-fixture.ts';
import { answerOf } from './boundaries.ts';

/** What the last of so many retries is answered, while the files of all before it are being copied; and that room is there again afterwards. */
export async function copying(tasks: Partial<TaskSettings>, ownerOf: (nth: number, all: number) => string) {
  const attachments = memoryAttachments();
  let mayOpen = Promise.resolve();
  const slow: AttachmentStore = { ...attachments, open: async (key) => (await mayOpen, attachments.open(key)) };
  const test = await createTestBridge({ tasks, attachments: slow, work: { make: async () => 'made' } });
  onTestFinished(test.close);
  const of = (owner: string) => test.bridge.system.tasks(owner);
  let rounds = 0;
  return async (amount: number): Promise<unknown> => {
    const round = (rounds += 1);
    const owners = Array.from({ length: amount }, (_, i) => ownerOf(i + 1, amount));
    const file = { fileName: 'a.csv', content: 'x' };
    const firsts = new Map<string, string>();
    for (const owner of new Set(owners)) {
      const { taskId } = await of(owner).start({ clientRequestId: `${round}`, taskType: 'make', attachments: [file] });
      await test.ended(owner, taskId);
      firsts.set(owner, taskId);
    }
    let release = (): void => undefined;
    mayOpen = new Promise((resolve) => (release = resolve));
    const retry = (owner: string, nth: number) => of(owner).retry(firsts.get(owner) ?? '', { clientRequestId: `${round} again ${nth}` });
    const retries = owners.map((owner, nth) => answerOf(retry(owner, nth)));
    // Those before it are at their files by then: one that is refused waits for none.
    const last = await Promise.race([retries.at(-1), quiesce().then(() => 'taken')]);
    release();
    const answers = await Promise.all(retries);
    if (last !== 'taken') expect(await answerOf(retry(owners.at(-1) ?? '', amount))).toBe('taken');
    return answers.at(-1) === last ? last : answers;
  };
}
