import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type * as xstateSolid from '@xstate/solid';
import { build } from 'esbuild';
import type * as solid from 'solid-js';
import { createTaskBridgeClient } from 'taskbridge/client';
import { scriptedTransports } from 'taskbridge/client/testing';
import { fromTask, taskActor } from 'taskbridge/xstate';
import { expect, onTestFinished, test, vi } from 'vitest';

type Solid = Pick<typeof solid, 'createRoot' | 'createEffect'>;
type XStateSolid = Pick<typeof xstateSolid, 'useActor' | 'fromActorRef'>;

/** Solid as a page has it: in Node it is the one that renders once, without effects. Its XState is that of the test. */
async function solidOfPage(): Promise<Solid & XStateSolid> {
  const folder = fileURLToPath(new URL('../../.data/', import.meta.url));
  await mkdir(folder, { recursive: true });
  const outfile = `${folder}solid-of-page.mjs`;
  await build({
    stdin: {
      contents: "export { createRoot, createEffect } from 'solid-js'; export { useActor, fromActorRef } from '@xstate/solid';",
      resolveDir: folder,
    },
    bundle: true,
    format: 'esm',
    platform: 'browser',
    conditions: ['browser', 'module'],
    external: ['xstate'],
    outfile,
    logLevel: 'error',
  });
  return (await import(outfile)) as Solid & XStateSolid;
}

test('Solid shows a task that a component runs, and one that runs outside', async () => {
  const { createRoot, createEffect, useActor, fromActorRef } = await solidOfPage();
  const server = scriptedTransports();
  const client = createTaskBridgeClient({ baseUrl: server.baseUrl, intercept: server.intercept });
  onTestFinished(() => client.close());
  const shown: string[] = [];
  const others: string[] = [];
  const other = taskActor(client, server.start({ taskType: 'other' }).taskId);
  onTestFinished(() => void other.stop());
  const leave = createRoot((dispose) => {
    const [snapshot] = useActor(fromTask(client), { input: { start: { taskType: 'report' } } });
    createEffect(() => shown.push(`${snapshot.value} ${snapshot.context.task.progress?.progress ?? '–'}`));
    const outside = fromActorRef(other);
    createEffect(() => others.push(`${outside().value} ${outside().hasTag('open')}`));
    return dispose;
  });
  await vi.waitFor(() => expect(server.tasks).toHaveLength(2));
  const [theirs, mine] = server.tasks;
  mine?.report({ type: 'report.progress', payload: { progress: 30 } });
  theirs?.report({ type: 'report.completed', payload: { result: 1 } });
  await vi.waitFor(() => expect([shown.at(-1), others.at(-1)]).toEqual(['running 30', 'completed false']));
  expect(shown[0]).toBe('starting –');
  leave();
  const count = shown.length;
  mine?.report({ type: 'report.completed', payload: { result: 1 } });
  // The other one's client is told of it in the same turn.
  await client.get(mine?.taskId ?? '');
  expect(shown).toHaveLength(count);
});
