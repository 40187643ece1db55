import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, test, vi } from 'vitest';
import { inProcess, type Handler } from '../../adapters/in-process/index.ts';
import { buildProgram, type Program } from '../support/built-program.ts';
import { bridgeOf } from './bridge-of.ts';

let program: Program;
beforeAll(async () => void (program = await buildProgram(new URL('children/careless-host.ts', import.meta.url))));
afterAll(() => program.remove());

const run = (handler: string, how: string) => promisify(execFile)(process.execPath, [program.file, handler, how]);

describe.each(['cancel', 'fence'])('a host whose task ends by a %s', (how) => {
  it.each(['asks', 'chains', 'reports too late', 'asks nonsense', 'throws what has no text'])(
    'outlives a handler that awaits nothing and %s',
    async (handler) => {
      expect((await run(handler, how)).stdout).toContain('alive');
    },
  );

  it('dies of a bug in a callback, like any other', async () => {
    await expect(run('has a bug of its own', how)).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('a bug of its own') as string,
    });
  });
});

test('a promise of the handle tells whoever awaits it, or what is chained to it, how it ended', async () => {
  const codeOf = (error: unknown) => (error as { code: string }).code;
  const heard = new Promise<unknown[]>((resolve) => {
    const work: Handler = async (task) => {
      const said = task.message('hello');
      const kept = [await said, await said.then(() => 'kept'), await said.finally(() => 'unheard'), await Promise.all([said])];
      const asked = task.suspend('q', { reasonCode: 'Q', allowedActions: ['ok'] });
      const broken = [
        asked.catch(codeOf),
        asked.then(() => 'kept').catch(codeOf),
        asked.then(() => 'kept', codeOf),
        asked.finally(() => undefined).catch(codeOf),
        Promise.race([asked]).catch(codeOf),
        (async () => ({ ...(await asked) }))().catch(codeOf),
      ];
      resolve([...kept, ...(await Promise.all(broken))]);
    };
    void bridgeOf(inProcess({ work })).then(async (of) => {
      const taskId = await of.start('work');
      await vi.waitUntil(async () => (await of.snapshot(taskId)).state === 'suspended');
      await of.cancel(taskId);
    });
  });
  expect(await heard).toEqual([undefined, 'kept', undefined, [undefined], ...Array<string>(6).fill('TASK_STOPPED')]);
});

test('a task whose handler throws what has no text fails all the same', async () => {
  const of = await bridgeOf(inProcess({ work: () => Promise.reject(Object.create(null) as Error) }));
  const taskId = await of.start('work');
  await expect.poll(async () => (await of.snapshot(taskId)).failure).toMatchObject({ code: 'HANDLER_FAILED' });
});
