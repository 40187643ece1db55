import { expect, test, vi } from 'vitest';
import { inProcess, type Handler } from '../../adapters/in-process/index.ts';
import { createMemory, memoryStore } from '../../adapters/memory/index.ts';
import type { Fact } from '../../machines/wire/index.ts';
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

test('a part that is to be gone on with is abandoned by the end of a run that never comes to the step which wrote it', async () => {
  const memory = createMemory();
  const work: Handler = async (task) => {
    const part = (name: string) => task.stream(name, { kind: 'text', flushMs: 10, onRerun: 'continue' });
    if (task.saved === undefined) {
      void part('draft').write('Once upon ');
      await task.save('drafted');
      return new Promise<never>(() => undefined);
    }
    const out = part('answer');
    void out.write('It is done.');
    return out.text;
  };
  const node = () =>
    bridgeOf(inProcess({ work: { run: work, repeatable: true } }, { logger: quiet }), { store: memoryStore({ memory }), logger: quiet });
  const first = await node();
  const taskId = await first.start('work');
  const store = memoryStore({ memory });
  await store.open();
  await vi.waitFor(async () => expect((await store.sideValues(taskId, ['saved']))[0]).toBe('"drafted"'));
  const of = await node();
  await first.close();
  await vi.waitFor(async () => expect(await of.snapshot(taskId)).toMatchObject({ state: 'completed', result: '' }));
  const closings = (await of.facts(taskId)).flatMap((fact) =>
    fact.type === 'TASK_PART_CLOSED' ? [(fact as Fact<'TASK_PART_CLOSED'>).payload] : [],
  );
  expect(closings.map(({ outcome, text }) => [outcome, text])).toEqual([
    ['ABANDONED', 'Once upon '],
    ['DONE', 'It is done.'],
  ]);
});
