import { inProcess } from 'taskbridge/adapters/in-process';
import { memoryStore } from 'taskbridge/adapters/memory';
import { taskDefaults } from 'taskbridge/server';
import { expect, test, vi } from 'vitest';
import { bridgeOf } from '../server/bridge-of.ts';

const CREATES = 1000;
const QUESTION = { reasonCode: 'SURE', allowedActions: ['yes'] };

test('a thousand creates of a type that asks, by one owner, take his own share and no more; others’ work goes on', async () => {
  let asking = 0;
  const store = memoryStore();
  const { bridge } = await bridgeOf(
    inProcess(
      {
        async ask(task) {
          asking += 1;
          await task.suspend('sure', QUESTION);
        },
        echo: async (task) => task.input,
      },
      // Fewer than one owner may have at work: it is not they who keep him from taking all.
      { concurrencyMax: 10 },
    ),
    { store },
  );
  const eve = bridge.tasks({ subject: 'eve' });
  await Promise.all(Array.from({ length: CREATES }, (_, i) => eve.start({ clientRequestId: `${i}`, taskType: 'ask' })));
  const bob = bridge.tasks({ subject: 'bob' });
  const { taskId } = await bob.start({ clientRequestId: 'one', taskType: 'echo', input: { a: 1 } });
  await vi.waitFor(async () => expect(await bob.get(taskId)).toMatchObject({ status: 'COMPLETED', result: { a: 1 } }));
  await vi.waitFor(() => expect(asking).toBe(taskDefaults.activePerOwnerMax));
  await vi.waitFor(async () =>
    expect((await store.shares('eve')).shares).toMatchObject({
      tasks: CREATES,
      active: taskDefaults.activePerOwnerMax,
      waiting: CREATES - taskDefaults.activePerOwnerMax,
      questions: taskDefaults.activePerOwnerMax,
    }),
  );
});
