import { isTerminalType, limits, parseEventId, type Fact, type JsonObject } from 'taskbridge/wire';
import type { Store, TaskExecutor } from 'taskbridge/server';
import type { ScriptStep } from '../script/index.ts';
import { casesOf, type CaseGroup, type Suite } from '../suite/case.ts';
import { holds, includes, present, rejectsWith, same } from '../suite/claim.ts';
import { eventually } from '../suite/eventually.ts';
import { startHost, type RunningHost } from './host.ts';

/** An executor under test: its task type `scripted` plays the steps of its input by `play`. */
export interface ExecutorUnderTest {
  readonly executor: TaskExecutor;
  /** Where its work reports. It outlives the bridges that close it. */
  readonly store: Store;
  close?(): Promise<void>;
}

/** What an executor means to a task, over the wire. */
const workCases: CaseGroup<ExecutorUnderTest> = (underTest, after) => {
  const bridgeOf = async (executor: TaskExecutor, store: Store): Promise<RunningHost> => {
    const host = await startHost(executor, { store });
    after(host.close);
    return host;
  };
  const run = async (...steps: ScriptStep[]) => {
    const { executor, store } = underTest();
    const of = await bridgeOf(executor, store);
    const taskId = await of.start('scripted', { steps: steps as unknown as JsonObject[] });
    return { of, taskId };
  };
  return {
    'handles the types it was given, and is healthy': async () => {
      const { executor } = underTest();
      same([executor.handles('scripted'), executor.handles('toString'), executor.handles('other')], [true, false, false]);
      same(await executor.health?.(), undefined);
    },

    'writes what the work says in its order, and completes the task with its result': async () => {
      const { of, taskId } = await run(
        { do: 'progress', progress: 10, stage: 'begin' },
        { do: 'message', message: 'half' },
        { do: 'progress', progress: 99.5 },
      );
      same(
        (await told(of, taskId)).map(({ type, payload }) => [type, payload]),
        [
          ['TASK_STARTED', {}],
          ['TASK_PROGRESS', { progress: 10, stage: 'begin' }],
          ['TASK_MESSAGE', { message: 'half' }],
          ['TASK_PROGRESS', { progress: 99.5 }],
          ['TASK_COMPLETED', { result: { answers: {} } }],
        ],
      );
    },

    'keeps two questions open at once, and takes their answers in any order': async () => {
      const { of, taskId } = await run(
        { do: 'ask', keys: ['left', 'right'] },
        { do: 'progress', progress: 50 },
        { do: 'ask', keys: ['late'] },
      );
      const [left = '', right = ''] = await questions(of, taskId, 2);
      await of.act(taskId, { clientActionId: 'r', suspendId: right, actionType: 'ok', payload: { side: 'right' } });
      same((await of.snapshot(taskId)).state, 'suspended');
      await of.act(taskId, { clientActionId: 'l', suspendId: left, actionType: 'no', payload: { side: 'left' } });
      const [late = ''] = await questions(of, taskId, 1);
      await of.act(taskId, { clientActionId: 'late', suspendId: late, actionType: 'ok' });
      const facts = await told(of, taskId);
      same(short(facts), [
        'STARTED',
        'SUSPENDED',
        'SUSPENDED',
        'ACTION_ACCEPTED',
        'ACTION_ACCEPTED',
        'PROGRESS',
        'SUSPENDED',
        'ACTION_ACCEPTED',
        'COMPLETED',
      ]);
      same(facts.at(-1)?.payload, { result: { answers: { left: { side: 'left' }, right: { side: 'right' }, late: {} } } });
    },

    'hears of the first accepted answer only': async () => {
      const { of, taskId } = await run({ do: 'ask', keys: ['q', 'other'] });
      const [q = '', other = ''] = await questions(of, taskId, 2);
      await rejectsWith(of.act(taskId, { clientActionId: 'x', suspendId: q, actionType: 'maybe' }), {
        code: 'ACTION_NOT_ALLOWED',
      });
      await of.act(taskId, { clientActionId: 'a', suspendId: q, actionType: 'ok', payload: { n: 1 } });
      includes(await of.act(taskId, { clientActionId: 'a', suspendId: q, actionType: 'ok', payload: { n: 1 } }), {
        status: 'DEDUPLICATED',
      });
      includes(await of.act(taskId, { clientActionId: 'b', suspendId: q, actionType: 'ok', payload: { n: 2 } }), {
        status: 'REJECTED_ALREADY_RESOLVED',
      });
      await of.act(taskId, { clientActionId: 'c', suspendId: other, actionType: 'ok' });
      const facts = await told(of, taskId);
      same(short(facts), ['STARTED', 'SUSPENDED', 'SUSPENDED', 'ACTION_ACCEPTED', 'ACTION_ACCEPTED', 'COMPLETED']);
      same(facts.at(-1)?.payload, { result: { answers: { q: { n: 1 }, other: {} } } });
    },

    'tells the work of a question that nobody answered in time': async () => {
      const { of, taskId } = await run({ do: 'ask', keys: ['brief'], expiresInMs: 50 }, { do: 'progress', progress: 80 });
      const facts = await told(of, taskId);
      same(short(facts), ['STARTED', 'SUSPENDED', 'SUSPENSION_CLOSED', 'PROGRESS', 'COMPLETED']);
      includes(facts[2]?.payload, { outcome: 'EXPIRED' });
      same(facts.at(-1)?.payload, { result: { answers: { brief: 'SUSPENSION_EXPIRED' } } });
    },

    'fails work that cannot go on without an answer': async () => {
      const { of, taskId } = await run({ do: 'insist', keys: ['brief'], expiresInMs: 50 });
      includes((await told(of, taskId)).at(-1), {
        type: 'TASK_FAILED',
        payload: { code: 'SUSPENSION_EXPIRED', retryable: false },
      });
    },

    'fails the task in the words that the work gives, and tells people nothing of any other throw': async () => {
      const given = await run({ do: 'fail', code: 'NO_FUNDS', message: 'The account is empty.', retryable: true });
      same((await told(given.of, given.taskId)).at(-1)?.payload, {
        code: 'NO_FUNDS',
        message: 'The account is empty.',
        retryable: true,
      });
      const other = await run({ do: 'throw', message: 'password of the database' });
      const end = (await told(other.of, other.taskId)).at(-1);
      includes(end?.payload, { code: 'HANDLER_FAILED', retryable: false });
      same(JSON.stringify(end).includes('password'), false);
    },

    'fails work that reports what no fact may say': async () => {
      const { of, taskId } = await run({ do: 'progress', progress: 50, stage: 'x'.repeat(limits.stageCharactersMax + 1) });
      const facts = await told(of, taskId);
      same(short(facts), ['STARTED', 'FAILED']);
      includes(facts.at(-1)?.payload, { code: 'REPORT_REFUSED' });
    },

    'fails no work for what is cosmetic: a progress just beyond its range, half a character': async () => {
      const { of, taskId } = await run(
        { do: 'progress', progress: 100.00000000000001 },
        { do: 'progress', progress: -1 },
        { do: 'message', message: 'cut 😀', charactersMax: 5 },
      );
      const facts = await told(of, taskId);
      same(
        facts.map(({ payload }) => payload),
        [{}, { progress: 100 }, { progress: 0 }, { message: 'cut \uFFFD' }, { result: { answers: {} } }],
      );
    },

    'refuses a second question under the key of an earlier one': async () => {
      const { of, taskId } = await run({ do: 'insist', keys: ['q'] }, { do: 'insist', keys: ['q'] });
      const [q = ''] = await questions(of, taskId, 1);
      await of.act(taskId, { clientActionId: 'a', suspendId: q, actionType: 'ok' });
      const facts = await told(of, taskId);
      same(short(facts), ['STARTED', 'SUSPENDED', 'ACTION_ACCEPTED', 'FAILED']);
      includes(facts.at(-1)?.payload, { code: 'SUSPENSION_KEY_USED' });
    },

    'never says a word of a task that was cancelled before it began': async () => {
      const { executor, store } = underTest();
      let release: () => void = () => undefined;
      const gate = new Promise<void>((resolve) => (release = resolve));
      const asked: string[] = [];
      const orders: string[] = [];
      const of = await bridgeOf(
        {
          ...executor,
          start(work) {
            asked.push(work.taskId);
            return gate.then(() => executor.start(work));
          },
          cancel: (attempt, order) => executor.cancel(attempt, order).finally(() => orders.push(order.why)),
        },
        store,
      );
      const created = of.start('scripted', { steps: [{ do: 'progress', progress: 1 }, { do: 'wait' }] });
      const taskId = await eventually(() => present(asked[0], 'the wish to start'));
      await of.cancel(taskId, 'too late');
      release();
      await created;
      // Told, it has nothing more to say.
      await eventually(() => holds(orders.includes('ended'), 'the executor was not told of the end'));
      same(short(await told(of, taskId)), ['CANCELLED']);
    },

    'commits that it begins before its first side effect, by itself': async () => {
      const { executor, store } = underTest();
      let release: () => void = () => undefined;
      const gate = new Promise<void>((resolve) => (release = resolve));
      const asked: string[] = [];
      const commits: string[] = [];
      const of = await bridgeOf(
        {
          ...executor,
          start(work) {
            asked.push(work.taskId);
            return gate.then(() => executor.start(work));
          },
        },
        store,
      );
      const tail = store.tail({
        // Our own texts.
        committed: (_taskId, entries) =>
          commits.push(short(entries.map(({ bytes }) => JSON.parse(Buffer.from(bytes).toString()) as Fact)).join()),
        interrupted: () => undefined,
      });
      after(() => tail.close());
      const created = of.start('scripted', { steps: [{ do: 'progress', progress: 1 }] });
      await tail.watch(await eventually(() => present(asked[0], 'the wish to start')));
      release();
      await told(of, await created);
      // Else nobody could tell after a crash whether it had any.
      await eventually(() => same(commits[0], 'STARTED'));
    },

    'stops running work that somebody cancels': async () => {
      const { of, taskId } = await run({ do: 'progress', progress: 1 }, { do: 'wait' });
      await eventually(async () => same((await of.facts(taskId)).length, 2));
      await of.cancel(taskId, 'enough');
      const facts = await told(of, taskId);
      same(short(facts), ['STARTED', 'PROGRESS', 'CANCEL_REQUESTED', 'CANCELLED']);
      same(facts.at(-1)?.payload, { reason: 'enough' });
    },

    'withdraws the questions of work that waits, and ends it at once': async () => {
      const { of, taskId } = await run({ do: 'ask', keys: ['a', 'b'] }, { do: 'progress', progress: 99 });
      await questions(of, taskId, 2);
      await of.cancel(taskId);
      same((await of.snapshot(taskId)).state, 'cancelled');
      same(short(await told(of, taskId)), ['STARTED', 'SUSPENDED', 'SUSPENDED', 'SUSPENSION_CLOSED', 'SUSPENSION_CLOSED', 'CANCELLED']);
    },

    'bears being told everything twice': async () => {
      const { executor, store } = underTest();
      const twice: TaskExecutor = {
        ...executor,
        resume: (...args) => executor.resume(...args).then(() => executor.resume(...args)),
        cancel: (...args) => executor.cancel(...args).then(() => executor.cancel(...args)),
      };
      const of = await bridgeOf(twice, store);
      const taskId = await of.start('scripted', { steps: [{ do: 'ask', keys: ['q'] }, { do: 'wait' }] });
      const [q = ''] = await questions(of, taskId, 1);
      await of.act(taskId, { clientActionId: 'a', suspendId: q, actionType: 'ok' });
      await of.cancel(taskId, 'enough');
      same(short(await told(of, taskId)), ['STARTED', 'SUSPENDED', 'ACTION_ACCEPTED', 'CANCEL_REQUESTED', 'CANCELLED']);
    },
  };
};

/** What an executor means. Every case starts a server of its own on loopback; it needs `koa`. */
export const executorSuite: Suite<ExecutorUnderTest> = {
  name: 'executor',
  cases: casesOf(workCases, { name: 'work', rule: '`TaskExecutor` of taskbridge/server', subjectOf: (world: ExecutorUnderTest) => world }),
};

/** The open questions, once there are as many. */
function questions(of: RunningHost, taskId: string, count: number): Promise<string[]> {
  return eventually(async () => {
    const { suspensions } = await of.snapshot(taskId);
    same(suspensions.length, count);
    return suspensions.map(({ suspendId }) => suspendId);
  });
}

/** The whole log, once it has ended: dense, and nothing after its end. */
async function told(of: RunningHost, taskId: string): Promise<Fact[]> {
  const facts = await eventually(async () => {
    const so = await of.facts(taskId);
    same(
      so.some(({ type }) => isTerminalType(type)),
      true,
    );
    return so;
  });
  same(
    facts.map(({ eventId }) => parseEventId(eventId)?.n),
    facts.map((_, i) => i + 1),
  );
  same(
    facts.findIndex(({ type }) => isTerminalType(type)),
    facts.length - 1,
  );
  return facts;
}

function short(facts: readonly Fact[]): string[] {
  return facts.map(({ type }) => type.replace('TASK_', ''));
}
