import { expect, test, vi } from 'vitest';
import { inProcess } from '../../adapters/in-process/index.ts';
import { bridgeOf } from './bridge-of.ts';

const quiet = { warn: () => undefined, error: () => undefined };

test('a part to which nothing is written is closed by its end, before what is reported behind it', async () => {
  const run = inProcess(
    {
      work: async (task) => {
        void task.stream('answer', { kind: 'text' }).end();
        await task.progress(1);
        await task.stream('other', { kind: 'text' }).end();
        await task.progress(2);
        // While another one waits to be sent.
        const long = task.stream('long', { kind: 'text' });
        void long.write('text');
        void task.stream('third', { kind: 'text' }).end();
        await task.progress(3);
        await long.end();
      },
    },
    { logger: quiet },
  );
  const of = await bridgeOf(run, { logger: quiet });
  const taskId = await of.start('work');
  await vi.waitFor(async () => expect((await of.snapshot(taskId)).state).toBe('completed'));
  const once = ['PART_OPENED', 'PART_CLOSED', 'PROGRESS'];
  const said = (await of.facts(taskId)).map(({ type }) => type.replace('TASK_', ''));
  expect(said).toEqual(['STARTED', ...once, ...once, 'PART_OPENED', ...once, 'PART_CLOSED', 'COMPLETED']);
});
