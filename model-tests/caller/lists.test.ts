import { describe, expect, it, onTestFinished } from 'vitest';
import { memoryStore } from 'taskbridge/adapters/memory';
import { bearerTokenOf, requireScopes } from 'taskbridge/server/access';
import { createTestBridge, type TestBridge, type TestBridgeOptions } from 'taskbridge/server/testing';
import type { TaskListRequest, TaskListResponse } from 'taskbridge/server/host';
import { listen } from '../http/listen.ts';

/** A page, or what was refused. */
type Answer = TaskListResponse | { readonly code: string; readonly path?: string; readonly reason?: string };
type Ask = (owner: string, request?: TaskListRequest) => Promise<Answer>;

/** Both doors, which have to say the same. */
const doors: Readonly<Record<string, (test: TestBridge) => Promise<Ask>>> = {
  'by the host':
    async ({ bridge }) =>
    async (subject, request) =>
      bridge
        .tasks({ subject, scopes: [subject] })
        .list(request)
        .catch(({ code, details }: { code: string; details: { errors?: object[] } }) => ({ code, ...details.errors?.[0] })),
  'over HTTP': async ({ bridge }) => {
    const { url, close } = await listen(bridge.middleware());
    onTestFinished(close);
    return async (subject, request = {}) => {
      const query = new URLSearchParams(Object.entries(request).map(([name, value]) => [name, String(value)]));
      const response = await fetch(`${url}/api/v1/tasks?${query.toString()}`, { headers: { authorization: `Bearer ${subject}` } });
      const body = (await response.json()) as TaskListResponse & { code: string; details: { errors?: object[] } };
      return response.ok ? body : { code: body.code, ...body.details.errors?.[0] };
    };
  },
};

describe.each(Object.entries(doors))('a list that is asked for %s', (_door, open) => {
  async function world(options: TestBridgeOptions = {}) {
    const script = { steps: [{ ask: 'which', question: { reasonCode: 'WHICH', allowedActions: ['one'] } }] } as const;
    const test = await createTestBridge({
      work: { quick: {}, asking: script, failing: { failAfter: 1, failure: { code: 'NO_ROUTE', retryable: true } } },
      logger: { warn: () => undefined, error: () => undefined },
      ...options,
    });
    onTestFinished(test.close);
    const ask = await open(test);
    let created = 0;
    /** One after the other, each a millisecond later, so that their order is known. */
    const start = async (owner: string, taskType = 'asking', more: object = {}) => {
      const clientRequestId = `r${(created += 1)}`;
      const { taskId } = await test.bridge.system.tasks(owner).start({ clientRequestId, taskType, ...more });
      await test.advance(1);
      return taskId;
    };
    const page = async (owner: string, request?: TaskListRequest) => {
      const answer = await ask(owner, request);
      if ('code' in answer) throw new Error(JSON.stringify(answer));
      return { ...answer, ids: answer.tasks.map(({ taskId }) => taskId) };
    };
    return { ...test, ask, start, page };
  }

  it('has the tasks of the caller and no other’s, newest first, each as its snapshot', async () => {
    const { start, page, bridge } = await world();
    const [one, , three] = [await start('ann'), await start('bob'), await start('ann', 'quick', { title: 'July', input: { rows: 3 } })];
    const { tasks, nextAfter, ids } = await page('ann');
    expect([ids, nextAfter]).toEqual([[three, one], null]);
    for (const task of tasks) expect(task).toEqual(await bridge.tasks({ subject: 'ann' }).get(task.taskId));
    expect(tasks[0]).toMatchObject({ state: 'completed', title: 'July', input: { rows: 3 }, result: {} });
    expect(await page('nobody')).toMatchObject({ tasks: [], nextAfter: null });
  });

  it('goes on where a page ended, and loses and repeats nothing while tasks come', async () => {
    const { start, page } = await world();
    const before: string[] = [];
    for (let nth = 0; nth < 7; nth += 1) before.unshift(await start('ann'));
    const seen: string[] = [];
    let after: string | null = null;
    do {
      const { ids, nextAfter } = await page('ann', { limit: 2, ...(after !== null && { after }) });
      seen.push(...ids);
      after = nextAfter;
      await start('ann');
    } while (after !== null);
    expect(seen).toEqual(before);
  });

  it('has what fits a type, a state and a label, and ends where nothing is left', async () => {
    const { start, page } = await world();
    const asking = await start('ann', 'asking', { labels: ['a', 'b'] });
    const quick = await start('ann', 'quick', { labels: ['b'] });
    const failed = await start('ann', 'failing');
    const rows: [TaskListRequest, string[]][] = [
      [{ type: 'asking' }, [asking]],
      [{ type: 'other' }, []],
      [{ state: 'completed' }, [quick]],
      [{ state: 'failed' }, [failed]],
      [{ label: 'b' }, [quick, asking]],
      [{ label: 'b', state: 'suspended' }, [asking]],
      [{ label: 'A' }, []],
    ];
    for (const [request, ids] of rows) expect([request, await page('ann', request)]).toMatchObject([request, { ids, nextAfter: null }]);
  });

  it('has none that the host’s policy does not show, and of no other owner whatever the policy shows', async () => {
    const { start, page } = await world({
      auth: (request) => ({ subject: bearerTokenOf(request) ?? '', scopes: [bearerTokenOf(request) ?? ''] }),
      ownership: requireScopes({ read: 'ann', within: { allowAccess: (_auth, { taskType }) => taskType !== 'quick' } }),
    });
    const [asking] = [await start('ann'), await start('ann', 'quick'), await start('bob')];
    expect((await page('ann')).ids).toEqual([asking]);
    expect((await page('bob')).ids).toEqual([]);
  });

  it('passes over names without a task, and tasks that only a newer version can read', async () => {
    const inner = memoryStore();
    let newer = '';
    const store = {
      ...inner,
      async glance(...asked: Parameters<typeof inner.glance>) {
        const glances = await inner.glance(...asked);
        const raised = JSON.stringify({ v: 999 });
        return glances.map((glance) => (glance?.taskId === newer ? { ...glance, fields: { about: raised } } : glance));
      },
    };
    const { start, page } = await world({ store });
    const [first] = [await start('ann'), (newer = await start('ann'))];
    await inner.count([{ owner: 'ann', by: {}, name: { requestKey: 'f'.repeat(64), at: 1_999_999_999_999 } }]);
    expect(await page('ann', { limit: 1 })).toMatchObject({ ids: [first] });
    expect(await page('ann')).toMatchObject({ ids: [first], nextAfter: null });
  });

  it('is refused by name where it is asked for what it cannot be', async () => {
    const { ask } = await world();
    const rows: [object, string, string | RegExp][] = [
      [{ limit: 0 }, 'limit', 'must be at least 1'],
      [{ limit: 101 }, 'limit', 'must be at most 100'],
      [{ limit: 1.5 }, 'limit', /whole number|an int/],
      [{ after: 'x' }, 'after', 'must be what a page before gave as nextAfter'],
      [{ after: `1-${'F'.repeat(64)}` }, 'after', 'must be what a page before gave as nextAfter'],
      [{ state: 'done' }, 'state', /"accepted" or "running"/],
      [{ type: '' }, 'type', 'must not be blank'],
      [{ label: 'x'.repeat(65) }, 'label', 'must be at most 64 characters long'],
      [{ lable: 'x' }, 'lable', 'is unknown'],
      [JSON.parse('{"__proto__":"x"}') as object, '__proto__', 'is unknown'],
    ];
    for (const [request, path, reason] of rows) {
      const answer = await ask('ann', request);
      expect(answer).toMatchObject({ code: 'REQUEST_VALIDATION_ERROR', path });
      expect(answer).toHaveProperty('reason', typeof reason === 'string' ? reason : (expect.stringMatching(reason) as string));
    }
  });

  it('says that the store is away', async () => {
    const inner = memoryStore();
    const { ask } = await world({ store: { ...inner, names: () => Promise.reject(new Error('away')) } });
    expect(await ask('ann')).toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });
});
