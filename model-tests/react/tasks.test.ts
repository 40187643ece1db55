import { enterPage, leavePage, page } from './page.ts';
import { act, createElement as h, type ReactElement } from 'react';
import { inProcess } from 'taskbridge/adapters/in-process';
import {
  useStartTask,
  useTaskActions,
  useTasks,
  type ListedTasks,
  type StartTask,
  type TaskActions,
  type UsedTasks,
} from 'taskbridge/react';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { bridgeOf } from '../server/bridge-of.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { clientOf, show, untilShown } from './client-page.ts';

beforeAll(enterPage);
afterAll(leavePage);

const AGAIN_MS = 15_000;

const work = () =>
  inProcess({
    echo: async ({ input }) => ({ input }),
    ask: async (task) => {
      await task.progress(40);
      await task.suspend('sure', { reasonCode: 'SURE', allowedActions: ['yes'] });
      return { sure: true };
    },
  });

/** A page with a list, and what it shows. */
async function listPage(request?: ListedTasks, before: readonly string[] = []) {
  const server = await bridgeOf(work());
  for (const type of before) await server.start(type);
  const client = clientOf(server.url);
  const asked = vi.spyOn(client, 'list');
  const clock = fakeClock();
  const drawn: { list?: UsedTasks; start?: StartTask; newest?: TaskActions } = {};
  const Page = (): ReactElement => {
    drawn.list = useTasks(request);
    drawn.start = useStartTask();
    drawn.newest = useTaskActions(drawn.list.tasks[0]?.taskId);
    return h('ul');
  };
  const place = await show({ client, clock }, h(Page));
  const states = () => (drawn.list?.tasks ?? []).map(({ taskType, state }) => `${taskType} ${state}`).join(', ');
  await untilShown(() => drawn.list?.status !== 'loading');
  return { server, client, asked, clock, drawn, states, place };
}

describe('useTasks', () => {
  test('shows the caller’s tasks, newest first, with their states as they change, and what one ended with', async () => {
    const { client, drawn, states } = await listPage(undefined, ['echo', 'ask']);
    await untilShown(() => states() === 'ask suspended, echo completed');
    const [task] = drawn.list?.tasks ?? [];
    await act(async () => {
      const { suspensions } = await client.get(task?.taskId ?? '');
      await client.act(task?.taskId ?? '', { suspendId: suspensions[0]?.suspendId ?? '', actionType: 'yes' });
    });
    await untilShown(() => states() === 'ask completed, echo completed' && drawn.list?.tasks[0]?.result !== undefined);
    expect(drawn.list?.tasks[0]?.result).toEqual({ sure: true });
  });

  test('asks again after a start of the same page', async () => {
    const { drawn, states } = await listPage();
    expect(drawn.list).toMatchObject({ status: 'ready', tasks: [], hasMore: false });
    await act(async () => void (await drawn.start?.start({ taskType: 'ask' })));
    await untilShown(() => states() === 'ask suspended');
  });

  test('drops a task that the page removes, and shows one that it starts again, also where a question was under way', async () => {
    const { drawn, states, client, asked } = await listPage(undefined, ['echo', 'echo']);
    await untilShown(() => states() === 'echo completed, echo completed');
    let answer = (): void => undefined;
    const stale = await client.list();
    asked.mockImplementationOnce(() => new Promise((resolve) => (answer = () => resolve(stale))));
    const removed = drawn.list?.tasks[0]?.taskId;
    await act(async () => {
      const asking = drawn.list?.refresh();
      await drawn.newest?.remove();
      answer();
      await asking;
    });
    await untilShown(() => states() === 'echo completed' && drawn.list?.tasks[0]?.taskId !== removed);
    await act(async () => void (await drawn.newest?.retry({ title: 'Again' })));
    await untilShown(() => states() === 'echo completed, echo completed');
    expect(drawn.list?.tasks[0]?.title).toBe('Again');
  });

  test('asks again now and then while its page can be seen, and when it comes back', async () => {
    const { asked, clock } = await listPage();
    const before = asked.mock.calls.length;
    await act(async () => clock.advance(AGAIN_MS));
    await untilShown(() => asked.mock.calls.length === before + 1 && clock.armed.length > 0);
    const visible = vi.spyOn(page, 'visibilityState', 'get').mockReturnValue('hidden');
    await act(async () => clock.advance(AGAIN_MS * 3));
    expect(asked).toHaveBeenCalledTimes(before + 1);
    visible.mockRestore();
    await act(async () => void page.dispatchEvent(new (page.defaultView ?? window).Event('visibilitychange')));
    await untilShown(() => asked.mock.calls.length === before + 2);
  });

  test('filters, and shows older ones when it is asked for more', async () => {
    const { drawn, states } = await listPage({ type: 'echo', limit: 2 }, ['echo', 'ask', 'echo', 'echo']);
    expect(drawn.list?.tasks).toHaveLength(2);
    expect(drawn.list?.hasMore).toBe(true);
    await act(async () => void (await drawn.list?.more()));
    expect(states()).toBe('echo completed, echo completed, echo completed');
    await act(async () => void (await drawn.list?.more()));
    await untilShown(() => drawn.list?.hasMore === false);
  });

  test('keeps what it shows where a question has no answer, and says so', async () => {
    const { server, drawn, states, asked } = await listPage(undefined, ['echo']);
    asked.mockRejectedValueOnce(new Error('no network'));
    await act(async () => void (await drawn.list?.refresh()));
    expect(drawn.list).toMatchObject({ status: 'failed', error: { code: 'NETWORK_ERROR' } });
    expect(states()).toBe('echo completed');
    await server.start('echo');
    await act(async () => void (await drawn.list?.refresh()));
    expect(drawn.list).toMatchObject({ status: 'ready', error: null });
    expect(states()).toContain('echo completed, echo');
  });
});
