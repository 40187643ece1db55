import { expect, test } from 'vitest';
import { inProcess } from '../../adapters/in-process/index.ts';
import { memoryStore } from '../../adapters/memory/index.ts';
import type { Store } from '../../server/index.ts';
import { startHost } from '../conformance/index.ts';
import { eventually } from '../conformance/suite/eventually.ts';

test('work that a host claimed in its last moment, and never started, is started by another one at once', async () => {
  const store = memoryStore();
  await store.open();
  let written = (): void => undefined;
  let wasWritten = false;
  let goOn = (): void => undefined;
  const isWritten = new Promise<void>((resolve) => (written = resolve));
  const mayGoOn = new Promise<void>((resolve) => (goOn = resolve));
  // Two hosts use it; the first hears late that its create was written.
  const shared: Store = { ...store, exclusive: false, open: async () => undefined, close: async () => undefined };
  const slow: Store = {
    ...shared,
    async create(task) {
      const created = await store.create(task);
      const isFirst = !wasWritten;
      wasWritten = true;
      written();
      if (isFirst) await mayGoOn;
      return created;
    },
  };
  // What a host begins when it has closed dies with its process.
  const closing = await startHost(inProcess({ once: () => new Promise<never>(() => undefined) }), { store: slow });
  const other = await startHost(inProcess({ once: async () => 'done' }), { store: shared });
  const creating = closing.create({ clientRequestId: 'the-last', taskType: 'once' });
  await isWritten;
  const isClosed = closing.bridge.close();
  let creates = 0;
  await eventually(async () => {
    const late = closing.create({ clientRequestId: `late-${(creates += 1)}`, taskType: 'once' });
    await expect(late).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });
  goOn();
  const [{ taskId }] = await Promise.all([creating, isClosed]);
  const snapshot = await eventually(async () => {
    const seen = await other.snapshot(taskId);
    expect(seen.status).not.toBe('ACCEPTED');
    return seen;
  });
  expect(snapshot).toMatchObject({ status: 'COMPLETED', result: 'done' });
  await Promise.all([closing.close(), other.close()]);
  await store.close();
});
