import { describe, expect, it, vi } from 'vitest';
import { inProcess, type Handler } from '../../adapters/in-process/index.ts';
import { memoryStore } from '../../adapters/memory/index.ts';
import { TaskBridgeError, type Commit, type Store } from '../../server/ports/index.ts';
import type { TaskSettings } from '../../server/task/settings.ts';
import { heldTasks } from '../hostile/held-tasks.ts';
import { bridgeOf } from './bridge-of.ts';

type Append = Store['append'];

/** What becomes of the next commit, and of its reply. */
type Fate = (commit: Commit, append: Append) => ReturnType<Append>;

/** Longer than a test. */
const NEVER_MS = 3_600_000;
const silent = { warn: () => undefined, error: () => undefined };
const ask: Handler = async (task) => {
  await task.suspend('which', { reasonCode: 'WHICH', allowedActions: ['yes'] });
};

/** Another node commits something of its own. */
const commitBeside = (append: Append, { taskId, plan, firstRetained }: Commit, expectedRevision: number) =>
  append({ taskId, expectedRevision, facts: [], ended: false, fields: {}, sideValues: {}, plan, firstRetained });

const fates: Readonly<Record<string, readonly Fate[]>> = {
  'whose reply was lost': [
    async (commit, append) => {
      await append(commit);
      throw new Error('The reply was lost.');
    },
  ],
  'whose reply was lost while another node committed': [
    async (commit, append) => {
      await append(commit);
      await commitBeside(append, commit, commit.expectedRevision + 1);
      throw new Error('The reply was lost.');
    },
  ],
  'that reached the store when it was tried again': (() => {
    let late: Commit | undefined;
    return [
      async (commit) => {
        late = commit;
        throw new Error('The store did not answer.');
      },
      async (commit, append) => {
        if (late) await append(late);
        return append(commit);
      },
    ] satisfies Fate[];
  })(),
};

async function fixture(tasks: Partial<TaskSettings> = {}) {
  const memory = memoryStore();
  await memory.open();
  const next: Fate[] = [];
  let refusals = 0;
  // Shared, so that the node reads what others may have written.
  const store: Store = {
    ...memory,
    exclusive: false,
    open: async () => undefined,
    append: (commit) => (next.shift() ?? ((written, append) => append(written)))(commit, memory.append),
    async load(id) {
      if (refusals-- > 0) throw new TaskBridgeError('STORE_UNAVAILABLE', 'The store says so itself.');
      return memory.load(id);
    },
  };
  const counts: Record<string, number> = {};
  const metrics = {
    incrementCounter: (name: string, value = 1) => void (counts[name] = (counts[name] ?? 0) + value),
    setGauge: () => undefined,
  };
  const host = await bridgeOf(inProcess({ ask }), { store, metrics, logger: silent, tasks: { reconcileMs: 50, ...tasks } });
  const taskId = await host.start('ask');
  await vi.waitFor(async () => expect((await host.snapshot(taskId)).state).toBe('suspended'));
  const [question] = (await host.snapshot(taskId)).suspensions;
  return {
    host,
    taskId,
    counts,
    suspendId: question?.suspendId ?? '',
    meet: (fate: readonly Fate[] | undefined) => next.push(...(fate ?? [])),
    refuseLoads: (times: number) => void (refusals = times),
    sharesOf: async () => (await memory.shares('alice')).shares,
  };
}

describe.each(Object.entries(fates))('a commit %s', (_what, fate) => {
  it('is told whoever made it as an action that was accepted, and whoever repeats it as a repeat', async () => {
    const { host, taskId, suspendId, counts, meet } = await fixture();
    const action = { suspendId, clientActionId: 'a', actionType: 'yes' };
    meet(fate);
    expect(await host.act(taskId, action)).toMatchObject({ status: 'ACCEPTED' });
    expect(counts).toMatchObject({ actions_accepted_total: 1, actions_total: 1 });
    expect(counts).not.toHaveProperty('duplicates_total');
    expect(await host.act(taskId, action)).toMatchObject({ status: 'DEDUPLICATED' });
    expect(counts).toMatchObject({ actions_accepted_total: 1, duplicates_total: 1 });
  });

  it('is told whoever made it as a cancel that is wanted, and whoever repeats it as one that came late', async () => {
    const { host, taskId, counts, meet } = await fixture();
    meet(fate);
    expect(await host.cancel(taskId)).toMatchObject({ status: 'CANCELLATION_REQUESTED' });
    expect(counts['cancels_total']).toBe(1);
    await vi.waitFor(async () => expect((await host.snapshot(taskId)).state).toBe('cancelled'));
    expect(await host.cancel(taskId)).toMatchObject({ status: 'ALREADY_TERMINAL' });
    expect(counts['cancels_total']).toBe(1);
  });

  it('leaves what waited with it to be decided on what stands there now', async () => {
    const { host, taskId, suspendId, counts, meet } = await fixture();
    const action = { suspendId, clientActionId: 'a', actionType: 'yes' };
    meet(fate);
    const answers = await Promise.all([
      host.act(taskId, action),
      host.act(taskId, action),
      host.act(taskId, { ...action, clientActionId: 'b' }),
    ]);
    expect(answers.map(({ status }) => status).sort()).toEqual(['ACCEPTED', 'DEDUPLICATED', 'REJECTED_ALREADY_RESOLVED']);
    expect(counts['actions_accepted_total']).toBe(1);
  });
});

describe('what an owner has, where a commit was written and its reply was lost', () => {
  const action = (suspendId: string) => ({ suspendId, clientActionId: 'a', actionType: 'yes' });

  /** Whoever made the commit is told that the store is away, before anybody could look. */
  async function unseen(of: Awaited<ReturnType<typeof fixture>>): Promise<void> {
    const { host, taskId, suspendId, meet, refuseLoads, sharesOf } = of;
    await vi.waitFor(async () => expect(await sharesOf()).toMatchObject({ questions: 1 }));
    meet([
      async (commit, append) => {
        await append(commit);
        refuseLoads(1);
        throw new Error('The reply was lost.');
      },
    ]);
    await expect(host.act(taskId, action(suspendId))).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  }

  it('is counted again though nobody asks for its task any more', async () => {
    const of = await fixture();
    await unseen(of);
    await vi.waitFor(async () => expect(await of.sharesOf()).toMatchObject({ questions: 0 }));
  });

  it('is told by the command that finds it, with its facts, before anybody counts', async () => {
    const of = await fixture({ reconcileMs: NEVER_MS, leaseMs: 3 * NEVER_MS });
    await unseen(of);
    expect(await of.sharesOf()).toMatchObject({ questions: 1 });
    expect(await of.host.act(of.taskId, action(of.suspendId))).toMatchObject({ status: 'DEDUPLICATED' });
    expect(of.counts).toMatchObject({ actions_accepted_total: 1 });
    await vi.waitFor(async () => expect(await of.sharesOf()).toMatchObject({ questions: 0 }));
  });

  it('is counted again where the commit had no fact by which it could be found: a claim, whose work begins at once', async () => {
    const held = heldTasks();
    const memory = memoryStore();
    await memory.open();
    let lost = 0;
    const store: Store = {
      ...memory,
      exclusive: false,
      open: async () => undefined,
      async append(commit) {
        const answer = await memory.append(commit);
        // A claim of work that waited.
        if (commit.facts.length === 0 && commit.fields['ledger']?.includes('"starting"') && lost++ === 0)
          throw new Error('The reply was lost.');
        return answer;
      },
    };
    const host = await bridgeOf(held.executor, {
      store,
      logger: silent,
      tasks: { reconcileMs: 50, activePerOwnerMax: 1, startWithinMs: NEVER_MS, leaseMs: NEVER_MS },
    });
    const [first, second] = [await host.start('hold'), await host.start('hold')];
    await held.of(first);
    held.end(first);
    await held.of(second);
    expect(lost).toBe(1);
    await vi.waitFor(async () => expect((await memory.shares('alice')).shares).toMatchObject({ active: 1, waiting: 0 }));
  });
});

it.each([1, 2])(
  'a create whose reply was lost %d times is told as new by the request that made it, and as a repeat by the next',
  async (times) => {
    const memory = memoryStore();
    await memory.open();
    let lost = 0;
    const store: Store = {
      ...memory,
      open: async () => undefined,
      async create(task) {
        const created = await memory.create(task);
        if (lost++ < times) throw new Error('The reply was lost.');
        return created;
      },
    };
    const host = await bridgeOf(inProcess({ ask }), { store, logger: silent });
    const request = { clientRequestId: 'one', taskType: 'ask' };
    const first = await host.create(request).catch((error: unknown) => error);
    // Two tries are all that somebody waits for: then it is not known, and is said so.
    expect(first).toMatchObject(times === 1 ? { deduplicated: false } : { code: 'STORE_UNAVAILABLE' });
    expect(await host.create(request)).toMatchObject({ deduplicated: true });
  },
);
