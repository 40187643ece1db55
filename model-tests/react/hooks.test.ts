import { enterPage, leavePage, page } from './page.ts';
import { act, createElement as h, StrictMode, useState, type ReactElement, type ReactNode } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { renderToString } from 'react-dom/server';
import { inProcess } from 'taskbridge/adapters/in-process';
import { createTaskBridgeClient, nodeSockets, type TaskBridgeClient, type TaskBridgeClientOptions } from 'taskbridge/client/node';
import { TaskBridgeProvider, useStartTask, useTask, useTaskSelector, type StartTask, type UsedTask } from 'taskbridge/react';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { bridgeOf, type RunningBridge } from '../server/bridge-of.ts';
import { eventually } from '../support/eventually.ts';
import { fakeClock, type FakeClock } from '../support/fake-clock.ts';

beforeAll(enterPage);
afterAll(leavePage);

interface Steps {
  readonly next: () => void;
  readonly taken: () => Promise<void>;
}
/** Work that goes on when the test says so. */
function steps(): Steps {
  let open: (() => void)[] = [];
  let credit = 0;
  return {
    next: () => {
      const [first, ...rest] = open;
      open = rest;
      if (first) first();
      else credit += 1;
    },
    taken: () =>
      new Promise((resolve) => {
        if (credit > 0) {
          credit -= 1;
          resolve();
        } else open.push(resolve);
      }),
  };
}

interface Stage {
  readonly server: RunningBridge;
  readonly client: TaskBridgeClient;
  readonly clock: FakeClock;
  readonly work: Steps;
  /** WebSockets that were opened, and those that still are. */
  readonly sockets: { opened: number; open: number };
  /** Renders in StrictMode below the provider. */
  show(children: ReactNode): Promise<HTMLElement>;
  leave(): Promise<void>;
}

let roots: Root[] = [];
afterEach(async () => {
  await act(async () => roots.forEach((root) => root.unmount()));
  roots = [];
});

async function stage(options: Partial<TaskBridgeClientOptions> = {}): Promise<Stage> {
  const work = steps();
  const server = await bridgeOf(
    inProcess({
      count: async (task) => {
        for (let i = 1; i <= 3; i += 1) {
          await work.taken();
          await task.progress(i * 30, { stage: i < 3 ? 'reading' : 'writing' });
        }
        const { actionType } = await task.suspend('which', { reasonCode: 'WHICH', allowedActions: ['left', 'right'] });
        return { went: actionType };
      },
    }),
  );
  const clock = fakeClock();
  const sockets = { opened: 0, open: 0 };
  const plain = nodeSockets();
  const client = createTaskBridgeClient({
    baseUrl: server.url,
    auth: () => ({ authorization: 'alice' }),
    clock,
    // One for each task, so that they tell what is observed.
    sockets: {
      ...plain,
      open(request, listener) {
        sockets.opened += 1;
        sockets.open += 1;
        const socket = plain.open(request, listener);
        return {
          send: (text) => socket.send(text),
          close() {
            sockets.open -= 1;
            socket.close();
          },
        };
      },
    },
    ...options,
  });
  onTestFinished(() => client.close());
  let root: Root | undefined;
  return {
    server,
    client,
    clock,
    work,
    sockets,
    async show(children) {
      const place = page.createElement('div');
      root = createRoot(place);
      roots.push(root);
      await act(async () => root?.render(h(StrictMode, null, h(TaskBridgeProvider, { client, clock, lingerMs: 1_000 }, children))));
      return place;
    },
    async leave() {
      await act(async () => root?.unmount());
    },
  };
}

/** Lets React catch up until the text is there. */
async function shows(place: HTMLElement, text: string): Promise<void> {
  while (!place.textContent?.includes(text)) await act(() => new Promise((resolve) => setImmediate(resolve)));
}

function Task({ taskId, onUsed }: { readonly taskId: string | null; readonly onUsed?: (used: UsedTask) => void }): ReactElement {
  const used = useTask(taskId);
  onUsed?.(used);
  const { task, connection } = used;
  return h('p', null, `${task.state} ${task.progress?.progress ?? '–'} ${connection.state} ${JSON.stringify(task.result) ?? ''}`);
}

describe('useTask', () => {
  test('shows a task from its start to its end, and answers its question', async () => {
    const { server, work, show, sockets } = await stage();
    const taskId = await server.start('count');
    let last: UsedTask | undefined;
    const place = await show(h(Task, { taskId, onUsed: (used) => (last = used) }));
    await shows(place, 'running – live');
    for (const progress of [30, 60, 90]) {
      work.next();
      await shows(place, `${progress} live`);
    }
    await shows(place, 'suspended 90');
    const [question] = last?.task.openSuspensions ?? [];
    await act(async () => void (await last?.act(question ?? '', 'left')));
    await shows(place, 'completed 90 done {"went":"left"}');
    expect(sockets.opened).toBe(1);
  });

  test('shares one observation among all components, in StrictMode too', async () => {
    const { server, show, sockets } = await stage();
    const taskId = await server.start('count');
    const place = await show([h(Task, { key: 1, taskId }), h(Task, { key: 2, taskId }), h(Task, { key: 3, taskId })]);
    await shows(place, 'running – live running – live running – live'.replaceAll(' running', 'running').replaceAll('live', 'live '));
    expect(sockets).toEqual({ opened: 1, open: 1 });
  });

  test('leaves no timer, no socket and no listener behind, once the linger is over', async () => {
    const { server, show, leave, clock, sockets } = await stage();
    const taskId = await server.start('count');
    const place = await show(h(Task, { taskId }));
    await shows(place, 'live');
    await leave();
    expect(sockets.open).toBe(1);
    clock.advance(1_000);
    expect(sockets.open).toBe(0);
    await eventually(() => clock.armed.length === 0);
  });

  test('keeps its observation for whoever comes back within the linger', async () => {
    const { server, show, leave, clock, sockets } = await stage();
    const taskId = await server.start('count');
    await shows(await show(h(Task, { taskId })), 'live');
    await leave();
    clock.advance(999);
    await shows(await show(h(Task, { taskId })), 'live');
    clock.advance(1_000);
    expect(sockets).toEqual({ opened: 1, open: 1 });
  });

  test('follows the id that it is given, and observes nothing without one', async () => {
    const { server, show, sockets, clock } = await stage();
    const ids = [await server.start('count'), await server.start('count')];
    let choose: ((index: number) => void) | undefined;
    const Chooser = (): ReactElement => {
      const [index, setIndex] = useState(-1);
      choose = setIndex;
      return h(Task, { taskId: ids[index] ?? null });
    };
    const place = await show(h(Chooser));
    expect(sockets.opened).toBe(0);
    for (const index of [0, 1]) {
      await act(async () => choose?.(index));
      await shows(place, 'running – live');
    }
    expect(sockets.open).toBe(2);
    clock.advance(1_000);
    expect(sockets.open).toBe(1);
  });

  test('tries anew when it is mounted after a fatal end', async () => {
    let isKnown = false;
    const { server, show, leave } = await stage({ auth: () => ({ authorization: isKnown ? 'alice' : 'mallory' }) });
    const taskId = await server.start('count');
    await shows(await show(h(Task, { taskId })), 'failed');
    await leave();
    isKnown = true;
    await shows(await show(h(Task, { taskId })), 'running – live');
  });

  test('says whether there is a task to show', async () => {
    const { server, show } = await stage();
    const known: string[] = [];
    const onUsed = (used: UsedTask): void => void (known.at(-1) !== used.known && known.push(used.known));
    await shows(await show(h(Task, { taskId: await server.start('count'), onUsed })), 'running – live');
    await shows(await show(h(Task, { taskId: 'f'.repeat(32), onUsed })), 'failed');
    expect(known).toEqual(['pending', 'known', 'pending', 'missing']);
  });

  test('shows what cannot be observed as an error, and throws in no effect', async () => {
    const { client, show } = await stage();
    const seen: [string, string | undefined][] = [];
    const onUsed = ({ known, connection }: UsedTask): void => void seen.push([known, connection.error?.code]);
    await shows(await show(h(Task, { taskId: '../no id', onUsed })), 'failed');
    expect(seen[0]).toEqual(['pending', undefined]);
    expect(seen.at(-1)).toEqual(['error', 'INVALID_ARGUMENT']);
    await client.close();
    await shows(await show(h(Task, { taskId: 'abc', onUsed })), 'failed');
    expect(seen.at(-1)).toEqual(['error', 'CLOSED']);
  });

  test('renders on a server without connecting', async () => {
    const { client, sockets } = await stage();
    expect(renderToString(h(TaskBridgeProvider, { client }, h(Task, { taskId: 'abc' })))).toContain('accepted – connecting');
    expect(sockets.opened).toBe(0);
    expect(() => renderToString(h(Task, { taskId: 'abc' }))).toThrow(/TaskBridgeProvider/);
  });
});

describe('useTaskSelector', () => {
  test('renders only when what is selected changes', async () => {
    const { server, work, show } = await stage();
    const taskId = await server.start('count');
    const renders = { page: 0, bar: 0, list: 0 };
    const Page = (): ReactElement => {
      renders.page += 1;
      return h(
        'p',
        null,
        useTaskSelector(taskId, ({ task }) => task.progress?.stage ?? 'none'),
      );
    };
    const Bar = (): ReactElement => {
      renders.bar += 1;
      return h('b', null, `at ${useTaskSelector(taskId, ({ task }) => task.progress?.progress ?? 0)}.`);
    };
    const List = (): ReactElement => {
      renders.list += 1;
      const states = useTaskSelector(
        taskId,
        ({ task }) => [task.terminal],
        (a, b) => a[0] === b[0],
      );
      return h('i', null, String(states[0]));
    };
    const place = await show([h(Page, { key: 1 }), h(Bar, { key: 2 }), h(List, { key: 3 })]);
    const before = { ...renders };
    for (const progress of [30, 60, 90]) {
      work.next();
      await shows(place, `at ${progress}.`);
    }
    // StrictMode renders twice each time.
    expect({ page: renders.page - before.page, bar: renders.bar - before.bar, list: renders.list - before.list }).toEqual({
      page: 4,
      bar: 6,
      list: 0,
    });
  });
});

describe('useStartTask', () => {
  test('starts one task however often it is asked, and says how that went', async () => {
    const { show, server } = await stage();
    let last: StartTask | undefined;
    const Starter = (): ReactElement => {
      last = useStartTask();
      return h('p', null, `${last.status} ${last.error?.code ?? ''}`);
    };
    const place = await show(h(Starter));
    await shows(place, 'idle');
    let ids: (string | null | undefined)[] = [];
    await act(async () => {
      ids = await Promise.all([last?.start({ taskType: 'count' }), last?.start({ taskType: 'count' })]);
    });
    await shows(place, 'started');
    expect(new Set(ids).size).toBe(1);
    expect(last?.taskId).toBe(ids[0]);
    expect((await server.snapshot(ids[0] ?? '')).taskType).toBe('count');
    await act(async () => last?.reset());
    await shows(place, 'idle');
    await act(async () => expect(await last?.start({ taskType: 'nobody' })).toBeNull());
    await shows(place, 'failed REQUEST_VALIDATION_ERROR');
  });
});
