import { expect, test, vi } from 'vitest';
import { inProcess } from '../../adapters/in-process/index.ts';
import { createMemory, memoryStore } from '../../adapters/memory/index.ts';
import type { TailListener } from '../../server/ports/index.ts';
import { bridgeOf } from './bridge-of.ts';

test('a run whose task is gone from the store is told to stop until it hears', async () => {
  const memory = createMemory();
  const plain = memoryStore({ memory });
  const listeners: TailListener[] = [];
  const store = {
    ...plain,
    tail: (listener: TailListener) => {
      listeners.push(listener);
      return plain.tail(listener);
    },
  };
  let signal: AbortSignal | undefined;
  const executor = inProcess({
    endless: async (task) => {
      signal = task.signal;
      await new Promise((resolve) => task.signal.addEventListener('abort', resolve));
    },
  });
  const cancel = vi.fn(executor.cancel);
  cancel.mockRejectedValueOnce(new Error('Nobody hears.')).mockRejectedValueOnce(new Error('Nobody hears.'));
  const logger = { warn: () => undefined, error: () => undefined };
  const of = await bridgeOf({ ...executor, cancel }, { store, logger, tasks: { reconcileMs: 50, effectRetryMs: 20 } });
  const taskId = await of.start('endless');
  await vi.waitFor(() => expect(signal).toBeDefined());
  memory.tasks.delete(taskId);
  // The node looks at what runs there.
  for (const listener of listeners) listener.interrupted();
  await vi.waitFor(() => expect(signal?.aborted).toBe(true));
  expect(cancel).toHaveBeenCalledTimes(3);
});
