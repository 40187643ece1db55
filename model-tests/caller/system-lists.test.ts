import { describe, expect, it, onTestFinished } from 'vitest';
import { inProcess } from 'taskbridge/adapters/in-process';
import { memoryStore } from 'taskbridge/adapters/memory';
import { createTestBridge, type TestBridgeOptions } from 'taskbridge/server/testing';
import type { SystemListRequest } from 'taskbridge/server/host';

describe('all tasks, as the host lists them', () => {
  async function world(options: TestBridgeOptions = {}) {
    const script = { steps: [{ ask: 'which', question: { reasonCode: 'WHICH', allowedActions: ['one'] } }] } as const;
    const test = await createTestBridge({
      work: { quick: {}, asking: script, failing: { failAfter: 1, failure: { code: 'NO_ROUTE', retryable: true } } },
      logger: { warn: () => undefined, error: () => undefined },
      ...options,
    });
    onTestFinished(test.close);
    const { system } = test.bridge;
    let created = 0;
    const start = async (owner: string, taskType: string) => {
      const { taskId } = await system.tasks(owner).start({ clientRequestId: `r${(created += 1)}`, taskType });
      await test.advance(1);
      return taskId;
    };
    const idsOf = async (request?: SystemListRequest) => (await system.list(request)).tasks.map(({ taskId }) => taskId);
    return { ...test, system, start, idsOf };
  }

  it('are counted by state and type, and listed by both, by owner and by age', async () => {
    const { system, start, idsOf, advance } = await world();
    const asking = await start('ann', 'asking');
    const [failed, quick, other] = [await start('ann', 'failing'), await start('bob', 'quick'), await start('bob', 'asking')];
    expect([...(await system.counts())].sort((a, b) => a.type.localeCompare(b.type))).toEqual([
      { state: 'suspended', type: 'asking', count: 2 },
      { state: 'failed', type: 'failing', count: 1 },
      { state: 'completed', type: 'quick', count: 1 },
    ]);
    expect(await idsOf()).toEqual([quick, failed, asking, other]);
    expect(await idsOf({ state: 'suspended' })).toEqual([asking, other]);
    expect(await idsOf({ type: 'quick' })).toEqual([quick]);
    expect(await idsOf({ type: 'quick', state: 'failed' })).toEqual([]);
    expect(await idsOf({ owner: 'bob' })).toEqual([quick, other]);
    expect((await system.list({ state: 'failed' })).tasks).toMatchObject([
      { owner: 'ann', failure: { code: 'NO_ROUTE' }, state: 'failed' },
    ]);
    await advance(1000);
    const late = await start('ann', 'asking');
    expect(await idsOf({ state: 'suspended', ageMs: 1000 })).toEqual([asking, other]);
    expect(await idsOf({ state: 'suspended', ageMs: 0 })).toEqual([asking, other, late]);
    expect(await idsOf({ ageMs: 60_000 })).toEqual([]);
  });

  it('go on where a page ended, over all states and types', async () => {
    const { system, start, idsOf } = await world();
    for (let nth = 0; nth < 3; nth += 1) for (const type of ['asking', 'failing', 'quick']) await start('ann', type);
    const seen: string[] = [];
    let after: string | undefined;
    do {
      const { tasks, nextAfter } = await system.list({ limit: 2, ...(after !== undefined && { after }) });
      seen.push(...tasks.map(({ taskId }) => taskId));
      after = nextAfter ?? undefined;
      await start('bob', 'quick');
    } while (after !== undefined && seen.length < 20);
    const ann = await idsOf({ owner: 'ann' });
    expect(ann).toHaveLength(9);
    expect(seen.filter((id) => ann.includes(id))).toEqual(ann);
    expect(new Set(seen).size).toBe(seen.length);
  });

  it('say who holds their work, and which of them nobody does for too long', async () => {
    let open = (): void => undefined;
    const slots = inProcess({ slow: () => new Promise<void>((resolve) => (open = resolve)) }, { concurrencyMax: 1 });
    const { system, start, idsOf, advance } = await world({ executor: () => slots });
    const held = await start('ann', 'slow');
    const waiting = await start('bob', 'slow');
    const { tasks } = await system.list({ type: 'slow' });
    const of = (id: string) => tasks.find(({ taskId }) => taskId === id);
    expect(of(held)).toMatchObject({ state: 'running', heldBy: expect.stringMatching(/^[0-9a-f]{16}$/) as string });
    expect(of(held)).not.toHaveProperty('readySince');
    expect(of(waiting)).toMatchObject({ state: 'accepted', readySince: of(waiting)?.createdAt });
    expect(of(waiting)).not.toHaveProperty('heldBy');
    expect(await idsOf({ overdueMs: 60_000 })).toEqual([]);
    await advance(60_000);
    expect(await idsOf({ overdueMs: 60_000 })).toEqual([waiting]);
    open();
  });

  it('are refused by name where they are asked for what cannot be, and where the store is away', async () => {
    const inner = memoryStore();
    const { system } = await world({ store: { ...inner, counts: () => Promise.reject(new Error('away')) } });
    for (const [request, path] of [
      [{ state: 'done' }, 'state'],
      [{ limit: 101 }, 'limit'],
      [{ limit: 0 }, 'limit'],
      [{ ageMs: -1 }, 'ageMs'],
      [{ overdueMs: 0.5 }, 'overdueMs'],
      [{ after: 'x' }, 'after'],
      [{ olderThan: 1 }, 'olderThan'],
    ] as [object, string][])
      await expect(system.list(request)).rejects.toMatchObject({ code: 'REQUEST_VALIDATION_ERROR', details: { errors: [{ path }] } });
    await expect(system.list()).rejects.toMatchObject({ name: 'TaskBridgeError', code: 'STORE_UNAVAILABLE' });
    await expect(system.counts()).rejects.toMatchObject({ name: 'TaskBridgeError', code: 'STORE_UNAVAILABLE' });
  });
});
