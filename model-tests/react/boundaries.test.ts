import { enterPage, leavePage } from './page.ts';
import { Component, createElement as h, Suspense, type ReactElement, type ReactNode } from 'react';
import { renderToString } from 'react-dom/server';
import { inProcess } from 'taskbridge/adapters/in-process';
import { TaskBridgeProvider, useSuspenseTask, useTask } from 'taskbridge/react';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bridgeOf } from '../server/bridge-of.ts';
import { clientOf, show, untilShown } from './client-page.ts';

beforeAll(enterPage);
afterAll(leavePage);

const asks = () =>
  inProcess({
    ask: async (task) => {
      await task.progress(40);
      await task.suspend('sure', { reasonCode: 'SURE', allowedActions: ['yes'] });
      return {};
    },
  });

/** Shows the code of what is thrown below. */
class Boundary extends Component<{ readonly children: ReactNode }, { readonly code: string | undefined }> {
  override state = { code: undefined };
  static getDerivedStateFromError(error: { readonly code?: string }) {
    return { code: error.code };
  }
  override render(): ReactNode {
    return this.state.code === undefined ? this.props.children : h('p', null, `broken: ${String(this.state.code)}`);
  }
}
const Task = ({ taskId }: { readonly taskId: string }): ReactElement => {
  const { task, known } = useSuspenseTask(taskId);
  return h('p', null, `${known} ${task.state}`);
};
const bounded = (taskId: string): ReactElement => h(Boundary, null, h(Suspense, { fallback: 'loading' }, h(Task, { taskId })));

describe('useSuspenseTask', () => {
  test('suspends until something is known, and follows the task then', async () => {
    const server = await bridgeOf(asks());
    const client = clientOf(server.url);
    const taskId = await server.start('ask');
    const place = await show({ client }, bounded(taskId));
    expect(place.textContent).toBe('loading');
    await untilShown(() => place.textContent === 'known suspended');
    const { suspensions } = await client.get(taskId);
    await client.act(taskId, { suspendId: suspensions[0]?.suspendId ?? '', actionType: 'yes' });
    await untilShown(() => place.textContent === 'known completed');
  });

  test('throws to the boundary where there is no such task, and where none can be', async () => {
    const server = await bridgeOf(asks());
    const client = clientOf(server.url);
    const missing = await show({ client }, bounded('nobody'));
    await untilShown(() => missing.textContent === 'broken: TASK_NOT_FOUND');
    const impossible = await show({ client }, bounded('no/id'));
    await untilShown(() => impossible.textContent === 'broken: INVALID_ARGUMENT');
  });
});

describe('snapshots of a provider', () => {
  const Plain = ({ taskId }: { readonly taskId: string }): ReactElement => {
    const { task, known, connection } = useTask(taskId);
    return h('p', null, `${known} ${task.state} ${task.progress?.progress ?? '–'} ${connection.state}`);
  };

  test('are what a server renders, without a client that connects, and a page shows until it knows more', async () => {
    const server = await bridgeOf(asks());
    const client = clientOf(server.url);
    const taskId = await server.start('ask');
    await untilShown(() => true);
    let snapshot = await client.get(taskId);
    while (snapshot.suspensions.length === 0) snapshot = await client.get(taskId);
    const page = h(TaskBridgeProvider, {
      client,
      snapshots: [snapshot],
      children: [h(Plain, { key: 1, taskId }), h(Task, { key: 2, taskId })],
    });
    expect(renderToString(page)).toContain('known suspended 40 connecting');
    expect(renderToString(page)).toContain('known suspended</p>');

    const place = await show({ client, snapshots: [snapshot] }, h(Plain, { taskId }));
    expect(place.textContent).toMatch(/^known suspended 40 /);
    await client.act(taskId, { suspendId: snapshot.suspensions[0]?.suspendId ?? '', actionType: 'yes' });
    await untilShown(() => place.textContent?.startsWith('known completed') ?? false);
  });
});
