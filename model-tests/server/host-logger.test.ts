import { Writable } from 'node:stream';
import { pino } from 'pino';
import { describe, expect, test, vi } from 'vitest';
import { createLogger, format, transports } from 'winston';
import { hostLogger, type Logger } from '../../server/ports/index.ts';
import { recordWriter } from '../../server/observability/record-writer.ts';

/** What a logger wrote, line by line, as JSON. */
function lines(): { readonly stream: Writable; readonly written: Record<string, unknown>[] } {
  const written: Record<string, unknown>[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      for (const line of chunk.toString().split('\n')) if (line !== '') written.push(JSON.parse(line) as Record<string, unknown>);
      done();
    },
  });
  return { stream, written };
}

function pinoTo(level: string) {
  const { stream, written } = lines();
  return { logger: pino({ level }, stream), written };
}

function winstonTo(level: string) {
  const { stream, written } = lines();
  return { logger: createLogger({ level, format: format.json(), transports: [new transports.Stream({ stream })] }), written };
}

const told = { taskId: 't', outcome: 'created' };
const cause = new Error('deep');

describe.each([
  ['pino', pinoTo, 'msg'],
  ['winston', winstonTo, 'message'],
])('%s', (_name, make, message) => {
  test('is given message and fields where it looks for them, at each level', () => {
    const { logger, written } = make('debug');
    // As it is: without a cast.
    const given: Logger = logger;
    const made = hostLogger(given);
    made.debug?.('one', told);
    made.info?.('two', told);
    made.warn('three', told);
    made.error('four');
    expect(written).toMatchObject([
      { [message]: 'one', ...told },
      { [message]: 'two', ...told },
      { [message]: 'three', ...told },
      { [message]: 'four' },
    ]);
  });

  test('builds no record for a level that it has switched off, now', () => {
    const { logger, written } = make('info');
    const records = recordWriter(hostLogger(logger));
    expect(records('task.event.appended')).toBeUndefined();
    records('http.task.create')?.(told);
    logger.level = 'debug';
    records('task.event.appended')?.({ taskId: 't' });
    expect(written).toMatchObject([{ [message]: 'http.task.create' }, { [message]: 'task.event.appended' }]);
  });
});

test('pino is given an error as its own serializer expects it, also from a child', () => {
  const { logger, written } = pinoTo('debug');
  hostLogger(logger.child({ service: 'tasks' })).warn('It failed.', { error: new TypeError('why', { cause }), taskId: 't' });
  expect(written).toMatchObject([{ service: 'tasks', msg: 'It failed.', taskId: 't', err: { type: 'TypeError', message: 'why: deep' } }]);
  expect(written[0]?.['err']).toMatchObject({ stack: expect.stringContaining('host-logger.test') as string });
});

test('winston is given an error with its text, which its formats would leave out', () => {
  const { logger, written } = winstonTo('debug');
  hostLogger(logger).warn('It failed.', { error: new TypeError('why', { cause }), taskId: 't' });
  expect(written).toMatchObject([
    { message: 'It failed.', level: 'warn', taskId: 't', error: { name: 'TypeError', message: 'why', cause: { message: 'deep' } } },
  ]);
});

test('winston is given an error that is its own cause, refers to itself, or cannot be read', () => {
  const { logger, written } = winstonTo('debug');
  const inner = new Error('inner');
  const cyclic = Object.assign(new Error('cyclic', { cause: inner }), { config: { hosts: [{}] } });
  inner.cause = cyclic;
  Object.assign(cyclic.config, { self: cyclic.config });
  const unreadable = Object.defineProperty(new Error('unreadable'), 'config', {
    enumerable: true,
    get() {
      throw new Error('no');
    },
  });
  const deep = Array.from({ length: 10_000 }).reduce<Error>((lower) => new Error('upper', { cause: lower }), new Error('lowest'));
  for (const error of [cyclic, unreadable, deep]) hostLogger(logger).error('It failed.', { error });
  expect(written).toMatchObject([
    {
      message: 'It failed.',
      error: {
        message: 'cyclic',
        cause: { message: 'inner', cause: '[circular]' },
        config: { hosts: [{}], self: '[circular]' },
      },
    },
    { message: 'It failed.' },
    { message: 'It failed.', error: { message: 'upper', cause: { message: 'upper' } } },
  ]);
});

test('winston is given the errors of an AggregateError, ten of them', () => {
  const { logger, written } = winstonTo('debug');
  const errors = Array.from({ length: 30 }, (_, i) => new TypeError(`no ${i}`));
  hostLogger(logger).error('It failed.', { error: new AggregateError(errors, 'all') });
  expect(written).toMatchObject([
    { error: { message: 'all', errors: errors.slice(0, 10).map(({ message }) => ({ name: 'TypeError', message })) } },
  ]);
});

test('errors inside of what a composite probe says are not lost either', () => {
  for (const { logger, written } of [pinoTo('debug'), winstonTo('debug')]) {
    hostLogger(logger).warn('It failed.', { error: { redis: cause } });
    expect(JSON.stringify(written)).toContain('"message":"deep"');
  }
});

test('the console is given message, fields and the error itself', () => {
  const calls: unknown[][] = [];
  const spies = (['warn', 'info', 'debug'] as const).map((level) =>
    vi.spyOn(console, level).mockImplementation((...args: unknown[]) => void calls.push([level, ...args])),
  );
  const made = hostLogger(console);
  made.warn('It failed.', { error: cause });
  made.info?.('two', told);
  made.debug?.('three');
  for (const spy of spies) spy.mockRestore();
  expect(calls).toEqual([
    ['warn', 'It failed.', { error: cause }],
    ['info', 'two', told],
    ['debug', 'three'],
  ]);
});

test('without a logger, failures go to the console and nothing else does', () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  const made = hostLogger();
  made.warn('It failed.', told);
  expect(warn.mock.calls).toEqual([['It failed.', told]]);
  warn.mockRestore();
  expect([made.info, made.debug]).toEqual([undefined, undefined]);
  const records = recordWriter(made);
  expect([records('http.task.create'), records('task.event.appended')]).toEqual([undefined, undefined]);
});

test('a logger with one of the two levels is given the records of that one', () => {
  const messages: string[] = [];
  const records = recordWriter(
    hostLogger({ warn: () => undefined, error: () => undefined, info: (message) => void messages.push(message) }),
  );
  records('http.task.create')?.(told);
  records('task.event.appended')?.(told);
  expect(messages).toEqual(['http.task.create']);
});

test('a logger that throws touches nobody, and what is none is refused', () => {
  const made = hostLogger({
    warn: () => {
      throw new Error('full');
    },
    error: () => undefined,
    debug: () => undefined,
    isLevelEnabled: () => {
      throw new Error('gone');
    },
  });
  expect(() => made.warn('It failed.')).not.toThrow();
  expect(recordWriter(made)('task.event.appended')).toBeUndefined();
  expect(() => hostLogger({ error: () => undefined } as unknown as Logger)).toThrow(/logger has no warn\(\)/);
});

test('a logger whose verbs reject touches nobody: each promise that it gives is heard', () => {
  const heard = vi.fn();
  const promise = { then: heard };
  const rejecting = hostLogger({
    warn: () => promise,
    error: () => promise,
    debug: () => promise,
    isLevelEnabled: (() => promise) as never,
  });
  rejecting.warn('one');
  rejecting.error('two', { taskId: 't' });
  rejecting.debug?.('three');
  expect(rejecting.isLevelEnabled?.('debug')).toBe(false);
  expect(heard.mock.calls).toEqual(Array.from({ length: 4 }, (): unknown[] => [undefined, expect.any(Function)]));
});
