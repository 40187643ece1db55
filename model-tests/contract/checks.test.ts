import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { inProcess, type ContractHandlers } from 'taskbridge/adapters/in-process';
import { defineTasks, question, task } from 'taskbridge/contract';
import { createTestBridge, type TestBridgeOptions } from 'taskbridge/server/testing';
import { tasks } from './tasks.ts';

type Handlers = ContractHandlers<typeof tasks>;

const build: Handlers['report.build'] = async (work) => {
  const answer = await work.suspend('duplicates', { interaction: { samples: [work.input.month] } });
  return { rows: work.input.rows, kept: answer.actionType === 'custom' ? answer.payload.column : answer.actionType };
};

async function host(handlers: Partial<Handlers> = {}, options: Partial<TestBridgeOptions> = {}) {
  const all: Handlers = { 'report.build': build, echo: async ({ input }) => input, ...handlers };
  const logged: unknown[] = [];
  const test = await createTestBridge({
    executor: (clock) => inProcess(tasks, all, { clock, logger: { warn: () => undefined, error: (...line) => void logged.push(line) } }),
    ...options,
  });
  onTestFinished(() => test.close());
  const ada = test.bridge.tasks({ subject: 'ada' });
  const start = (input?: unknown, clientRequestId = 'r') =>
    ada.start({ clientRequestId, taskType: 'report.build', ...(input !== undefined && { input: input as never }) });
  async function asked(taskId: string) {
    await test.advance(0);
    return (await ada.get(taskId)).suspensions;
  }
  const act = async (taskId: string, actionType: string, payload?: object, clientActionId = 'a') =>
    ada.act(taskId, {
      clientActionId,
      suspendId: (await asked(taskId))[0]?.suspendId ?? '',
      actionType,
      ...(payload && { payload: payload as never }),
    });
  return { ...test, ada, start, asked, act, logged };
}

describe('the input of a task', () => {
  it.each([
    [{}, [{ path: 'input.month', reason: expect.stringContaining('expected string') as string }]],
    [undefined, [{ path: 'input.month', reason: expect.stringContaining('expected string') as string }]],
    [
      { month: '', rows: 'many' },
      [
        { path: 'input.month', reason: expect.any(String) as string },
        { path: 'input.rows', reason: expect.any(String) as string },
      ],
    ],
  ])('that is %o is refused with its paths, and nothing is written', async (input, errors) => {
    const { start, store } = await host();
    await expect(start(input)).rejects.toMatchObject({
      code: 'REQUEST_VALIDATION_ERROR',
      message: expect.stringMatching(/^The task was not created: input\.month /) as string,
      details: { errors },
    });
    expect(await store.names('ada', 10)).toEqual([]);
  });

  it('reaches its handler as its schema made it', async () => {
    const { start, act, ended } = await host();
    const { taskId } = await start({ month: 'May' });
    await act(taskId, 'keep-first');
    expect(await ended('ada', taskId)).toMatchObject({ status: 'COMPLETED', result: { rows: 3, kept: 'keep-first' } });
  });

  it('is anything where the contract says nothing', async () => {
    const { ada, ended } = await host();
    const { taskId } = await ada.start({ clientRequestId: 'r', taskType: 'echo', input: { a: [1] } });
    expect(await ended('ada', taskId)).toMatchObject({ result: { a: [1] } });
  });
});

describe('a question of a contract', () => {
  it('carries the JSON Schemas of what may answer it', async () => {
    const { start, asked } = await host();
    const { taskId } = await start({ month: 'May' });
    expect(await asked(taskId)).toEqual([
      {
        suspendId: expect.stringMatching(/^duplicates-/) as string,
        kind: 'USER_ACTION_REQUIRED',
        reasonCode: 'duplicates',
        allowedActions: ['keep-first', 'custom'],
        schemaVersion: 1,
        interaction: {
          samples: ['May'],
          $actions: {
            'keep-first': { type: 'object', properties: {} },
            custom: { type: 'object', properties: { column: { type: 'string', minLength: 1 } }, required: ['column'] },
          },
        },
      },
    ]);
  });

  it('may be asked of several things, for some of its actions', async () => {
    const { start, asked } = await host({
      'report.build': async (work) => {
        void work.suspend('sure:1', {});
        await work.suspend('duplicates:2', { interaction: { samples: [] }, allowedActions: ['custom'], expiresInMs: 1_000 });
        return { rows: 0 };
      },
    });
    const { taskId } = await start({ month: 'May' });
    expect(await asked(taskId)).toMatchObject([
      { reasonCode: 'ARE_YOU_SURE', allowedActions: ['yes'] },
      { reasonCode: 'duplicates', allowedActions: ['custom'], expiresAt: expect.any(String) as string },
    ]);
    expect(Object.keys((await asked(taskId))[1]?.interaction?.['$actions'] ?? {})).toEqual(['custom']);
  });

  it.each<[string, Handlers['report.build'], string]>([
    ['a foreign key', (work) => work.suspend('other' as 'sure', {}) as never, 'The key "other" names no question of report.build'],
    [
      'a foreign action',
      (work) => work.suspend('sure', { allowedActions: ['no' as 'yes'] }) as never,
      'The question was not written: allowedActions.0 is no action of the question sure: it has yes.',
    ],
    [
      'an interaction that does not fit',
      (work) => work.suspend('duplicates', { interaction: { samples: [1 as never] } }) as never,
      'The question was not written: interaction.samples.0 Invalid input: expected string, received number.',
    ],
    [
      'the reserved field',
      (work) => work.suspend('sure', { interaction: { $actions: {} } }) as never,
      'The question was not written: interaction.$actions is reserved for the schemas of the actions.',
    ],
  ])('fails its task with %s', async (_, handler, message) => {
    const { start, ended } = await host({ 'report.build': handler });
    const { taskId } = await start({ month: 'May' });
    expect(await ended('ada', taskId)).toMatchObject({
      failure: { code: 'REPORT_REFUSED', message: expect.stringContaining(message) as string },
    });
  });

  it('may not be imitated where there is no contract', async () => {
    const work = {
      x: (one: { suspend(key: string, asked: object): Promise<unknown> }) =>
        one.suspend('k', { reasonCode: 'K', allowedActions: ['a'], interaction: { $actions: {} } }) as Promise<null>,
    };
    const { ada, ended } = await host({}, { work: work as never });
    const { taskId } = await ada.start({ clientRequestId: 'r', taskType: 'x' });
    expect(await ended('ada', taskId)).toMatchObject({ failure: { code: 'REPORT_REFUSED' } });
  });
});

describe('an answer', () => {
  it('that does not fit its action is refused with its path, and its id is not used up', async () => {
    const { start, act, ended } = await host();
    const { taskId } = await start({ month: 'May' });
    for (const payload of [undefined, {}, { column: ' ' }])
      await expect(act(taskId, 'custom', payload)).rejects.toMatchObject({
        code: 'INVALID_REQUEST',
        message: expect.stringMatching(/^The action of type "custom" was not taken: payload\.column /) as string,
        details: { errors: [{ path: 'payload.column' }] },
      });
    await expect(act(taskId, 'other')).rejects.toMatchObject({ code: 'ACTION_NOT_ALLOWED' });
    expect(await act(taskId, 'custom', { column: ' b ' })).toMatchObject({ status: 'ACCEPTED' });
    expect(await ended('ada', taskId)).toMatchObject({ result: { kept: 'b' } });
  });

  it('is the same answer as it was sent, and another one otherwise', async () => {
    const { start, ada, asked } = await host();
    const { taskId } = await start({ month: 'May' });
    const suspendId = (await asked(taskId))[0]?.suspendId ?? '';
    const act = (column: string) => ada.act(taskId, { clientActionId: 'a', suspendId, actionType: 'custom', payload: { column } });
    expect(await act(' b ')).toMatchObject({ status: 'ACCEPTED' });
    expect(await act(' b ')).toMatchObject({ status: 'DEDUPLICATED' });
    await expect(act('b')).rejects.toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' });
  });

  it('is told to the host’s policy as its schema made it', async () => {
    const told: unknown[] = [];
    const { start, act } = await host(
      {},
      { actions: { refuseAction: (_auth, _about, { payload }) => void told.push(payload) as undefined } },
    );
    const { taskId } = await start({ month: 'May' });
    await act(taskId, 'custom', { column: ' b ', more: true });
    expect(told).toEqual([{ column: 'b' }]);
  });
});

describe('a result', () => {
  it('that does not fit fails its task, naming the path; the host is told', async () => {
    const { start, ended, logged } = await host({ 'report.build': async () => ({ rows: 'many' as never }) });
    const { taskId } = await start({ month: 'May' });
    expect(await ended('ada', taskId)).toMatchObject({
      status: 'FAILED',
      failure: {
        code: 'REPORT_REFUSED',
        message: 'The result was not written: result.rows Invalid input: expected number, received string.',
      },
    });
    expect(logged).toHaveLength(1);
  });

  it('is what its schema made of it', async () => {
    const { start, ended } = await host({ 'report.build': async () => ({ rows: 1, kept: undefined, secret: 'x' }) as never });
    const { taskId } = await start({ month: 'May' });
    expect((await ended('ada', taskId)).result).toEqual({ rows: 1 });
  });
});

describe('a schema that makes what is no JSON', () => {
  it.each<[string, z.ZodType, string]>([
    ['a date', z.object({ at: z.string().transform((text) => new Date(text)) }), 'input.at is no plain object (Date)'],
    ['a number without end', z.object({ at: z.string().transform(() => Infinity) }), 'input.at is no finite number'],
    ['no object', z.object({ at: z.string() }).transform(({ at }) => [at]), 'makes no object of it'],
  ])('(%s) is a fault of the host’s, and writes nothing', async (_, input, message) => {
    const dated = defineTasks({ x: task({ input }) });
    const lines: unknown[] = [];
    const { ada, store } = await host(
      {},
      {
        executor: (clock) => inProcess(dated, { x: async () => null }, { clock }),
        logger: { warn: () => undefined, error: (_text, fields) => void lines.push(String((fields as { error: unknown }).error)) },
      },
    );
    await expect(ada.start({ clientRequestId: 'r', taskType: 'x', input: { at: '2026-01-01' } })).rejects.toMatchObject({
      code: 'INTERNAL_ERROR',
    });
    expect(lines).toEqual([expect.stringContaining(message)]);
    expect(await store.names('ada', 10)).toEqual([]);
  });
});

describe('a contract for executors that have none', () => {
  it('is the bridge’s own, and that of an executor goes first', async () => {
    const strict = defineTasks({
      x: task({ result: z.object({ a: z.number() }), questions: { q: question({ actions: { yes: z.object({}) } }) } }),
    });
    const { ada, ended } = await host({}, { contract: strict, work: { x: async () => ({ a: 'one' }) } });
    const { taskId } = await ada.start({ clientRequestId: 'r', taskType: 'x' });
    expect(await ended('ada', taskId)).toMatchObject({ failure: { message: expect.stringContaining('result.a') as string } });
  });
});

describe('a part of a contract', () => {
  it('is of the kind that it has there', async () => {
    const { ada, start, ended } = await host({
      'report.build': async (work) => {
        void work.stream('rows', { flushMs: 10 }).write('[1]\n');
        return { rows: 1 };
      },
    });
    const { taskId } = await start({ month: 'May' });
    expect(await ended('ada', taskId)).toMatchObject({ state: 'completed' });
    expect((await ada.get(taskId)).parts).toMatchObject([{ name: 'rows', kind: 'jsonl', text: '[1]\n', outcome: 'DONE' }]);
  });

  it('is written with values where it is one that is replaced', async () => {
    const { ada, start, ended } = await host({
      'report.build': async (work) => {
        const totals = work.stream('totals');
        for (const rows of [1, 2, 3]) void totals.write({ rows });
        await totals.end();
        return { rows: 3 };
      },
    });
    const { taskId } = await start({ month: 'May' });
    expect(await ended('ada', taskId)).toMatchObject({ state: 'completed' });
    expect((await ada.get(taskId)).parts).toMatchObject([{ name: 'totals', kind: 'latest', text: '{"rows":3}', outcome: 'DONE' }]);
  });

  it.each([
    ['of another name', 'answer', {}, 'names no part of report.build: its parts are summary, rows, totals'],
    ['of another kind', 'rows', { kind: 'text' }, 'is of the kind jsonl in report.build, and not text'],
  ] as const)('that is %s is not opened, and the task fails with what is wrong', async (_, name, options, message) => {
    const { ada, start, ended } = await host({
      'report.build': async (work) => {
        // As without TypeScript.
        work.stream(name as 'rows', options as object);
        return { rows: 1 };
      },
    });
    const { taskId } = await start({ month: 'May' });
    expect(await ended('ada', taskId)).toMatchObject({ failure: { message: expect.stringContaining(message) as string } });
    expect((await ada.get(taskId)).parts).toBeUndefined();
  });

  it.each([
    ['answer', 'text', 'names no part of x: its parts are rows'],
    ['rows', 'text', 'is of the kind jsonl in x, and not text'],
  ] as const)('is refused to an executor that knows no contract, where the bridge has one: %s of %s', async (name, kind, message) => {
    const contract = defineTasks({ x: task({ parts: { rows: 'jsonl' } }) });
    const { ada, ended } = await host({}, { contract, work: { x: (work) => work.stream(name, { kind }).end() } });
    const { taskId } = await ada.start({ clientRequestId: 'r', taskType: 'x' });
    expect(await ended('ada', taskId)).toMatchObject({ failure: { message: expect.stringContaining(`name ${message}`) as string } });
    expect((await ada.get(taskId)).parts).toBeUndefined();
  });
});
