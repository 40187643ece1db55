import { pino } from 'pino';
import { describe, expect, test, vi } from 'vitest';
import { inProcess, TaskFailure, type Handler, type Task } from '../../adapters/in-process/index.ts';
import { memoryStore } from '../../adapters/memory/index.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { bridgeOf, type RunningBridge } from './bridge-of.ts';

const ended = (of: RunningBridge, taskId: string) =>
  vi.waitFor(async () => {
    const snapshot = await of.snapshot(taskId);
    expect(['completed', 'failed', 'cancelled']).toContain(snapshot.state);
    return snapshot;
  });

const run = async (handler: Handler, options: Parameters<typeof bridgeOf>[1] = {}) => {
  const of = await bridgeOf(inProcess({ work: handler }), options);
  const taskId = await of.start('work', { n: 1 });
  return { of, taskId };
};

test('gives a handler its input, and completes the task with its result', async () => {
  const { of, taskId } = await run((task) => Promise.resolve({ got: task.input, attempt: task.attempt, saved: task.saved ?? 'nothing' }));
  expect((await ended(of, taskId)).result).toEqual({ got: { n: 1 }, attempt: 1, saved: 'nothing' });
});

test('refuses a report that breaks its schema before anything is written, and lets the handler go on', async () => {
  const { of, taskId } = await run(async (task) => {
    const refusal = await task.progress(40, { stage: 'x'.repeat(257) }).catch((error: unknown) => (error as Error).message);
    await task.progress(50);
    return refusal as string;
  });
  const { result } = await ended(of, taskId);
  expect(result).toMatch(
    /TASK_PROGRESS was not written: payload\.stage must be at most 256 characters long, and is a text of 257 characters\./,
  );
  expect((await of.facts(taskId)).map(({ type }) => type)).toEqual(['TASK_STARTED', 'TASK_PROGRESS', 'TASK_COMPLETED']);
});

test('fails a task whose result is larger than a fact may be', async () => {
  const { of, taskId } = await run(() => Promise.resolve('x'.repeat(2000)), { tasks: { factBytesMax: 1000 } });
  expect((await ended(of, taskId)).failure).toMatchObject({ code: 'REPORT_REFUSED', retryable: false });
});

test('takes all that a handler reports in one turn, however much it is, and awaits none of it', async () => {
  const { of, taskId } = await run(
    (task) => {
      for (let i = 0; i < 1200; i++) void task.progress(i / 12);
      return Promise.resolve();
    },
    { tasks: { retainedFactsMax: 2000 } },
  );
  expect((await ended(of, taskId)).state).toBe('completed');
  const facts = await of.facts(taskId);
  expect(facts.slice(1, -1).map(({ payload }) => payload)).toEqual(Array.from({ length: 1200 }, (_, i) => ({ progress: i / 12 })));
});

describe('a report that is refused for good', () => {
  const errors: unknown[][] = [];
  const logged = { warn: () => undefined, error: (...line: unknown[]) => void errors.push(line) };
  const runLogged = async (handler: Handler) => {
    errors.length = 0;
    const of = await bridgeOf(inProcess({ work: handler }, { logger: logged }));
    const taskId = await of.start('work');
    return { of, taskId, ends: await ended(of, taskId) };
  };

  test('and that nobody hears of fails the task, is logged, and takes no other with it', async () => {
    const { of, taskId, ends } = await runLogged((task) => {
      for (let i = 0; i < 9; i++) void task.message(i === 4 ? '' : `line ${i}`, i === 4 ? ('loud' as 'info') : 'info');
      return Promise.resolve();
    });
    expect(ends.failure).toMatchObject({ code: 'REPORT_REFUSED', message: expect.stringContaining('payload.level') as string });
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatchObject([expect.stringContaining('A handler failed its task'), { taskId, attempt: 1 }]);
    expect((await of.facts(taskId)).filter(({ type }) => type === 'TASK_MESSAGE')).toHaveLength(8);
  });

  test.each<[string, (task: Task) => Promise<unknown>]>([
    ['awaits it', (task) => task.progress(Number.NaN).catch(() => 'heard')],
    [
      'catches what is chained to it',
      async (task) =>
        task
          .progress(Number.NaN)
          .then(() => 'never')
          .catch(() => 'heard'),
    ],
    [
      'awaits it later',
      async (task) => {
        const report = task.progress(Number.NaN);
        await task.message('meanwhile');
        return report.catch(() => 'heard');
      },
    ],
    [
      'catches at the end of a long chain',
      (task) => {
        let chain: Promise<unknown> = task.progress(Number.NaN);
        for (let i = 0; i < 20_000; i++) chain = chain.then((value) => value);
        return chain.catch(() => 'heard');
      },
    ],
  ])('is the handler’s own affair where he %s', async (_, handler) => {
    const { ends } = await runLogged(async (task) => (await handler(task)) as string);
    expect(ends).toMatchObject({ state: 'completed', result: 'heard' });
    expect(errors).toEqual([]);
  });

  test.each([Number.NaN, Infinity, -Infinity])('names the value: a progress of %d', async (progress) => {
    const { ends } = await runLogged((task) => task.progress(progress));
    expect(ends.failure).toMatchObject({
      code: 'REPORT_REFUSED',
      message: `A progress of ${progress} was not reported: it has to be a number from 0 to 100.`,
    });
  });

  test('in a turn that saves refuses all of it, and names the limit', async () => {
    const { of, taskId, ends } = await runLogged(async (task) => {
      for (let i = 0; i < 1001; i++) void task.progress(i / 1001);
      await task.save('half-way');
    });
    expect(ends.failure).toMatchObject({ code: 'REPORT_REFUSED', message: expect.stringMatching(/1001 intents .* 1000/) as string });
    expect((await of.facts(taskId)).map(({ type }) => type)).toEqual(['TASK_STARTED', 'TASK_FAILED']);
  });
});

describe('an error that was not thrown to tell people', () => {
  const refuse = () => {
    throw new Error('hostile');
  };
  const thrownValues: Readonly<Record<string, () => unknown>> = {
    'an error': () => new Error('secret'),
    'a text': () => 'secret',
    nothing: () => undefined,
    'what has no text': () => Object.create(null) as unknown,
    'an error with hostile getters': () =>
      Object.defineProperties(new Error('secret'), { stack: { get: refuse }, message: { get: refuse }, code: { get: refuse } }),
    'what cannot be looked at': () => new Proxy({}, { getPrototypeOf: refuse }),
  };

  test.each(Object.keys(thrownValues))('is logged and given to the host, and tells people only that it happened: %s', async (name) => {
    const thrown = thrownValues[name]?.();
    const told: unknown[] = [];
    const error = vi.fn();
    const onError = (...call: unknown[]) => void told.push(...call);
    const of = await bridgeOf(inProcess({ work: () => Promise.reject(thrown as Error) }, { logger: { warn: vi.fn(), error }, onError }));
    const taskId = await of.start('work');
    const { failure } = await ended(of, taskId);
    expect(failure).toEqual({ code: 'HANDLER_FAILED', message: 'The work failed.', retryable: false });
    expect(told[0] === thrown).toBe(true);
    expect(told[1]).toEqual({ taskId, attempt: 1, taskType: 'work' });
    expect(error).toHaveBeenCalledOnce();
    // What cannot be read cannot be searched for credentials either.
    const isHostile = name.includes('hostile') || name.includes('cannot be looked at');
    expect((error.mock.calls[0]?.[1] as { error: unknown }).error === (isHostile ? '[unreadable]' : thrown)).toBe(true);
  });

  test('goes to pino as it is, with the ids of the task', async () => {
    const lines: string[] = [];
    const logger = pino({ level: 'debug' }, { write: (line) => void lines.push(line) });
    const of = await bridgeOf(inProcess({ work: () => Promise.reject(new Error('secret')) }, { logger }));
    const taskId = await of.start('work');
    await ended(of, taskId);
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([{ taskId, attempt: 1, err: { message: 'secret' } }]);
  });

  test('does no harm where the sinks of the host throw', async () => {
    const error = vi.fn().mockImplementationOnce(() => {
      throw new Error('full');
    });
    const onError = () => {
      throw new Error('mine');
    };
    const of = await bridgeOf(inProcess({ work: () => Promise.reject(new Error('x')) }, { logger: { warn: vi.fn(), error }, onError }));
    expect((await ended(of, await of.start('work'))).state).toBe('failed');
    expect(error.mock.calls.length).toBeGreaterThan(1);
  });

  test('does no harm where the sinks of the host throw always, or later', async () => {
    const full = (): never => {
      throw new Error('full');
    };
    const onError = () => Promise.reject(new Error('later'));
    const of = await bridgeOf(inProcess({ work: () => Promise.reject(new Error('x')) }, { logger: { warn: full, error: full }, onError }));
    expect((await ended(of, await of.start('work'))).state).toBe('failed');
  });

  test('is none of the host’s where it was thrown to tell people', async () => {
    const error = vi.fn();
    const thrown = new TaskFailure('NO_FUNDS', 'The account is empty.', { retryable: true });
    const of = await bridgeOf(inProcess({ work: () => Promise.reject(thrown) }, { logger: { warn: vi.fn(), error } }));
    const { failure } = await ended(of, await of.start('work'));
    expect(failure).toEqual({ code: 'NO_FUNDS', message: 'The account is empty.', retryable: true });
    expect(error).not.toHaveBeenCalled();
  });
});

test('asks at most 16 questions at once', async () => {
  const { of, taskId } = await run(async (task) => {
    const questions = Array.from({ length: 17 }, (_, i) => task.suspend(`q${i}`, { reasonCode: 'Q', allowedActions: ['ok'] }));
    questions.forEach((question) => void question.catch(() => undefined));
    return questions[16]?.then(
      () => 'asked',
      (error: unknown) => (error as { code: string }).code,
    ) as Promise<string>;
  });
  expect(await ended(of, taskId)).toMatchObject({ result: 'TOO_MANY_OPEN_SUSPENSIONS', suspensions: [] });
  const facts = await of.facts(taskId);
  expect(facts.filter(({ type }) => type === 'TASK_SUSPENDED')).toHaveLength(16);
  expect(facts.filter(({ type }) => type === 'TASK_SUSPENSION_CLOSED')).toHaveLength(16);
  expect(facts.at(-1)?.type).toBe('TASK_COMPLETED');
});

test('lets work wait in a queue beyond its concurrency, where a cancel ends it at once', async () => {
  const waiting: (() => void)[] = [];
  const order: number[] = [];
  const handler = async (task: Task) => {
    order.push(Number(task.input.n));
    await new Promise<void>((resolve) => waiting.push(resolve));
  };
  const of = await bridgeOf(inProcess({ work: handler }, { concurrencyMax: 1 }));
  const [one = '', two = '', three = ''] = [
    await of.start('work', { n: 1 }),
    await of.start('work', { n: 2 }),
    await of.start('work', { n: 3 }),
  ];
  expect((await of.snapshot(two)).state).toBe('accepted');
  await of.cancel(two);
  expect((await of.snapshot(two)).state).toBe('cancelled');
  await vi.waitFor(() => expect(waiting).toHaveLength(1));
  waiting.pop()?.();
  await vi.waitFor(() => expect(waiting).toHaveLength(1));
  waiting.pop()?.();
  expect((await ended(of, three)).state).toBe('completed');
  expect((await ended(of, one)).state).toBe('completed');
  expect(order).toEqual([1, 3]);
});

test('withdraws open questions when the task is cancelled, and tells the handler', async () => {
  let told: unknown;
  const { of, taskId } = await run(async (task) => {
    told = await task.suspend('q', { reasonCode: 'Q', allowedActions: ['ok'] }).catch((error: unknown) => (error as { code: string }).code);
  });
  await vi.waitFor(async () => expect((await of.snapshot(taskId)).state).toBe('suspended'));
  await of.cancel(taskId, 'changed my mind');
  await vi.waitFor(() => expect(told).toBe('TASK_STOPPED'));
  const facts = await of.facts(taskId);
  expect(facts.slice(2).map(({ type, payload }) => [type, payload])).toEqual([
    ['TASK_SUSPENSION_CLOSED', { suspendId: facts[1]?.type === 'TASK_SUSPENDED' ? facts[1].payload.suspendId : '', outcome: 'CANCELLED' }],
    ['TASK_CANCELLED', { reason: 'changed my mind' }],
  ]);
});

test('tells a handler why it has to stop', async () => {
  let reason: unknown;
  const { of, taskId } = await run(async (task) => {
    await new Promise((resolve) => task.signal.addEventListener('abort', resolve));
    reason = task.signal.reason;
  });
  await vi.waitFor(async () => expect((await of.snapshot(taskId)).state).toBe('running'));
  await of.cancel(taskId, 'enough');
  await vi.waitFor(() => expect(reason).toMatchObject({ why: 'cancel', code: 'TASK_STOPPED', message: 'enough' }));
});

test('lets running work finish while the bridge closes, as long as it may', async () => {
  let finish: (value: string) => void = () => undefined;
  // Read after the bridge has closed it.
  const store = { ...memoryStore(), close: () => Promise.resolve() };
  const { of, taskId } = await run(() => new Promise<string>((resolve) => (finish = resolve)), { store });
  await vi.waitFor(async () => expect((await of.snapshot(taskId)).state).toBe('running'));
  const closing = of.bridge.close({ drainMs: 60_000 });
  finish('in time');
  await closing;
  expect((await of.facts(taskId)).at(-1)).toMatchObject({ type: 'TASK_COMPLETED', payload: { result: 'in time' } });
});

test('a handler that goes on though its task is over keeps nobody from working, and is told of', async () => {
  const clock = fakeClock();
  const warn = vi.fn();
  let go: () => void = () => undefined;
  const careless = () => new Promise<void>((resolve) => (go = resolve));
  const executor = inProcess(
    { careless, work: () => Promise.resolve('done') },
    { concurrencyMax: 1, clock, logger: { warn, error: vi.fn() } },
  );
  const of = await bridgeOf(executor, { tasks: { cancelGraceMs: 1 } });
  const first = await of.start('careless');
  await vi.waitFor(async () => expect((await of.snapshot(first)).state).toBe('running'));
  const second = await of.start('work');
  await of.cancel(first);
  expect(await ended(of, second)).toMatchObject({ state: 'completed', result: 'done' });
  expect(warn).not.toHaveBeenCalled();
  clock.advance(10_000);
  await vi.waitFor(() =>
    expect(warn.mock.calls).toMatchObject([[expect.stringContaining('task.signal'), { taskId: first, why: 'ended', abandoned: 1 }]]),
  );
  go();
});

test('who waits for a person takes no slot; the answered go on before others begin', async () => {
  const order: string[] = [];
  const gates = new Map<string, () => void>();
  const handler = async (task: Task) => {
    const name = task.input['n'] as string;
    order.push(`${name} begins`);
    if (name !== 'long' && name !== 'new') await task.suspend('q', { reasonCode: 'Q', allowedActions: ['ok'] });
    else await new Promise<void>((resolve) => gates.set(name, resolve));
    order.push(`${name} goes on`);
  };
  const of = await bridgeOf(inProcess({ work: handler }, { concurrencyMax: 1 }));
  const asking = [await of.start('work', { n: 'a' }), await of.start('work', { n: 'b' })];
  await vi.waitFor(async () => {
    for (const taskId of asking) expect((await of.snapshot(taskId)).state).toBe('suspended');
  });
  const long = await of.start('work', { n: 'long' });
  await vi.waitFor(() => expect(order).toEqual(['a begins', 'b begins', 'long begins']));
  const late = await of.start('work', { n: 'new' });
  for (const taskId of asking) {
    const { suspensions } = await of.snapshot(taskId);
    await of.act(taskId, { clientActionId: 'a', suspendId: suspensions[0]?.suspendId ?? '', actionType: 'ok' });
  }
  expect(order).toHaveLength(3);
  gates.get('long')?.();
  await vi.waitFor(() => expect(order).toHaveLength(7));
  gates.get('new')?.();
  for (const taskId of [...asking, long, late]) expect((await ended(of, taskId)).state).toBe('completed');
  expect(order.slice(3)).toEqual(['long goes on', 'a goes on', 'b goes on', 'new begins', 'new goes on']);
});

test('a run after a crash gets the recorded answer for the same question, and for no other', async () => {
  const store = memoryStore();
  const files: unknown[] = [];
  const handlerThatAsks =
    (file: string): Handler =>
    async (task) => {
      const { payload } = await task.suspend('approval', {
        reasonCode: 'APPROVE',
        allowedActions: ['ok'],
        expiresInMs: 60_000,
        interaction: { file },
      });
      files.push([file, payload]);
      return new Promise<never>(() => undefined);
    };
  const entry = (file: string) => ({ work: { run: handlerThatAsks(file), repeatable: true } });
  const first = await bridgeOf(inProcess(entry('read')), { store: { ...store, close: () => Promise.resolve() } });
  const taskId = await first.start('work');
  await vi.waitFor(async () => expect((await first.snapshot(taskId)).state).toBe('suspended'));
  const { suspensions } = await first.snapshot(taskId);
  await first.act(taskId, { clientActionId: 'a', suspendId: suspensions[0]?.suspendId ?? '', actionType: 'ok', payload: { yes: true } });
  await vi.waitFor(() => expect(files).toHaveLength(1));
  await first.close();
  const second = await bridgeOf(inProcess(entry('read')), { store: { ...store, close: () => Promise.resolve() } });
  await vi.waitFor(() => expect(files).toEqual(Array(2).fill(['read', { yes: true }])));
  await second.close();
  const third = await bridgeOf(inProcess(entry('delete'), { logger: { warn: vi.fn(), error: vi.fn() } }), { store });
  expect((await ended(third, taskId)).failure).toMatchObject({
    code: 'SUSPENSION_KEY_USED',
    message: expect.stringMatching(
      /"approval" is used: an earlier run asked something else .* Give each question of a task a key of its own/,
    ) as string,
    retryable: false,
  });
  expect(files).toHaveLength(2);
});
