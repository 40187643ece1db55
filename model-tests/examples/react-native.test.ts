import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { root } from '../readme/snippets.ts';

const textOf = (path: string): string => readFileSync(join(root, path), 'utf8');

test('the code of docs/react-native.md is that of examples/react-native, which is compiled with the rest', () => {
  const blocks = [...textOf('docs/react-native.md').matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code);
  expect(blocks).toEqual(['app', 'debug-menu', 'screen-test'].map((name) => textOf(`examples/react-native/${name}.ts`)));
});

test('the test of a screen there runs, without a server', async () => {
  const log = vi.spyOn(console, 'log').mockReturnValue(undefined);
  const { task } = await import('../../examples/react-native/screen-test.ts');
  expect(log).toHaveBeenCalledWith([expect.objectContaining({ suspendId: 'q', actionType: 'left' })]);
  expect(task.log.map(({ type }) => type)).toEqual([
    'TASK_STARTED',
    'TASK_PROGRESS',
    'TASK_SUSPENDED',
    'TASK_ACTION_ACCEPTED',
    'TASK_COMPLETED',
  ]);
  log.mockRestore();
});
