import { describe, expect, test, vi } from 'vitest';
import { defaultRoutePaths } from '../../machines/routes/index.ts';
import { compositeProbe, executorProbe, type ReadinessProbe } from '../../server/observability/index.ts';
import { healthRoutes, type Readiness } from '../../server/http/health.ts';
import { quiesce } from '../live/hub-fixture.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { listen } from './listen.ts';

const SECRET = 'redis://user:password@10.0.0.1';
const ready: ReadinessProbe = { check: () => Promise.resolve({ ready: true, details: { latencyMs: 3 } }) };
const broken: ReadinessProbe = { check: () => Promise.reject(new Error(SECRET)) };
const thrower: ReadinessProbe = {
  check() {
    throw new Error(SECRET);
  },
};
const mute: ReadinessProbe = { check: () => new Promise(() => undefined) };

describe('a composite probe', () => {
  test('is ready where each part is, and tells of each by its name', async () => {
    expect(await compositeProbe({ one: ready, two: { check: () => Promise.resolve({ ready: true }) } }).check()).toEqual({
      ready: true,
      details: { one: { status: 'ready', latencyMs: 3 }, two: { status: 'ready' } },
    });
    expect(await compositeProbe({}).check()).toEqual({ ready: true, details: {} });
  });

  test('is not ready where one part is not, and keeps why from its details', async () => {
    const { reason, ...answer } = await compositeProbe({ one: ready, two: broken, three: thrower }).check();
    expect(answer).toEqual({
      ready: false,
      details: { one: { status: 'ready', latencyMs: 3 }, two: { status: 'not_ready' }, three: { status: 'not_ready' } },
    });
    expect(reason).toEqual({ two: new Error(SECRET), three: new Error(SECRET) });
  });

  test('gives each part its time, and not a moment more', async () => {
    const clock = fakeClock();
    const asked = compositeProbe({ one: ready, late: mute }, { timeoutMs: 700, clock }).check();
    await quiesce();
    expect(clock.next).toBe(700);
    clock.advance(700);
    expect(await asked).toMatchObject({ ready: false, details: { one: { status: 'ready' }, late: { status: 'not_ready' } } });
    expect(clock.armed).toEqual([]);
  });

  test('may be a part itself', async () => {
    expect(await compositeProbe({ inner: compositeProbe({ redis: ready }) }).check()).toMatchObject({
      details: { inner: { status: 'ready', redis: { status: 'ready', latencyMs: 3 } } },
    });
  });

  test('says what it cannot be made of', () => {
    expect(() => compositeProbe({ redis: undefined as unknown as ReadinessProbe })).toThrow(/"redis" is no probe/);
    for (const timeoutMs of [0, 1.5, 2 ** 31]) expect(() => compositeProbe({}, { timeoutMs })).toThrow(/timeoutMs/);
    expect(() => compositeProbe({}, { timeoutMs: 2 ** 31 - 1 })).not.toThrow();
  });
});

describe('an executor probe', () => {
  test.each<[unknown, boolean, unknown]>([
    [true, true, undefined],
    [[true, { queue: SECRET }], true, undefined],
    [{ ready: true, details: SECRET }, true, undefined],
    [false, false, new Error('The executor\'s "ping" says that it is not ready.')],
    [[false, SECRET], false, SECRET],
    [{ ready: false, details: { queue: SECRET } }, false, { queue: SECRET }],
    ['fine', false, expect.objectContaining({ message: expect.stringContaining('must answer a boolean') as string })],
    [undefined, false, expect.objectContaining({ message: expect.stringContaining('must answer a boolean') as string })],
    [[1], false, expect.objectContaining({ message: expect.stringContaining('must answer a boolean') as string })],
  ])('takes %o for ready: %s', async (answer, isReady, reason) => {
    for (const ping of [() => answer, () => Promise.resolve(answer)]) {
      const found = await executorProbe({ ping }, { method: 'ping' }).check();
      expect([found.ready, found.reason, found.details]).toEqual([isReady, reason, undefined]);
    }
  });

  test('calls the method on its executor, by default checkHealth', async () => {
    const executor = {
      isUp: true,
      checkHealth() {
        return this.isUp;
      },
    };
    expect(await executorProbe(executor).check()).toEqual({ ready: true });
    executor.isUp = false;
    expect(await executorProbe(executor).check()).toMatchObject({ ready: false });
  });

  test('is not ready without the method, after a throw, and after its time', async () => {
    const clock = fakeClock();
    expect(await executorProbe({}).check()).toEqual({ ready: false, reason: new Error('The executor has no method "checkHealth".') });
    expect(await executorProbe(thrower, { method: 'check' }).check()).toEqual({ ready: false, reason: new Error(SECRET) });
    const asked = executorProbe(mute, { method: 'check', timeoutMs: 300, clock }).check();
    clock.advance(300);
    expect(await asked).toEqual({ ready: false, reason: new Error('No answer within 300 ms.') });
    expect(() => executorProbe({}, { timeoutMs: 0 })).toThrow(/timeoutMs/);
  });
});

describe('a probe whose answer cannot be told', () => {
  const cycle: Record<string, unknown> = {};
  cycle['self'] = cycle;
  const thrown = () => {
    throw new Error(SECRET);
  };
  test.each<[string, unknown]>([
    ['is null', null],
    ['is text', 'ready'],
    ['has a BigInt', { ready: true, details: { n: 1n } }],
    ['has a cycle', { ready: true, details: cycle }],
    ['has a toJSON that throws', { ready: true, details: { toJSON: thrown } }],
    ['has a getter that throws', Object.defineProperty({}, 'ready', { get: thrown })],
  ])('is not ready: one that %s', async (_what, answer) => {
    const told: string[] = [];
    const odd = { check: () => Promise.resolve(answer) } as ReadinessProbe;
    const probes = { odd, parts: compositeProbe({ odd, fine: ready }) };
    const logger = { warn: (message: string) => void told.push(message), error: () => undefined };
    const listening = await listen(healthRoutes({ probes, probeTimeoutMs: 2000, paths: defaultRoutePaths, clock: fakeClock(), logger }));
    const response = await fetch(`${listening.url}/ready`);
    expect([response.status, await response.json()]).toEqual([
      503,
      {
        status: 'not_ready',
        details: {
          odd: { status: 'not_ready' },
          parts: { status: 'not_ready', odd: { status: 'not_ready' }, fine: { status: 'ready', latencyMs: 3 } },
        },
      },
    ]);
    await listening.close();
    expect(told.sort()).toEqual(['The readiness probe "odd" failed.', 'The readiness probe "parts" failed.']);
  });
});

test('the world is told that something is not ready, and the logger why, once', async () => {
  const told: string[] = [];
  const clock = fakeClock();
  const probes = {
    parts: compositeProbe({ redis: broken, fine: ready }),
    executor: executorProbe({ ping: () => [false, { queue: SECRET }] }, { method: 'ping' }),
  };
  const logger = {
    warn: (message: string, fields?: object) =>
      void told.push(`${message} ${JSON.stringify(fields, (_key, value: unknown) => (value instanceof Error ? value.message : value))}`),
    error: () => undefined,
  };
  const listening = await listen(healthRoutes({ probes, probeTimeoutMs: 2000, paths: defaultRoutePaths, clock, logger }));
  for (let asked = 0; asked < 2; asked += 1) {
    const response = await fetch(`${listening.url}/ready`);
    const text = await response.text();
    expect(text).not.toContain(SECRET);
    expect([response.status, JSON.parse(text) as Readiness]).toEqual([
      503,
      {
        status: 'not_ready',
        details: {
          parts: { status: 'not_ready', redis: { status: 'not_ready' }, fine: { status: 'ready', latencyMs: 3 } },
          executor: { status: 'not_ready' },
        },
      },
    ]);
  }
  await listening.close();
  expect(told.sort()).toEqual([
    `The readiness probe "executor" failed. {"error":{"queue":"${SECRET}"}}`,
    `The readiness probe "parts" failed. {"error":{"redis":"${SECRET}"}}`,
  ]);
});

test('a probe that hangs is asked once in ten rounds', async () => {
  const clock = fakeClock();
  let asked = 0;
  const hanging: ReadinessProbe = {
    check() {
      asked += 1;
      return new Promise(() => undefined);
    },
  };
  const listening = await listen(
    healthRoutes({ probes: { hanging }, probeTimeoutMs: 2000, paths: defaultRoutePaths, clock, logger: undefined }),
  );
  const round = async (): Promise<number> => {
    const answer = fetch(`${listening.url}/ready`);
    await vi.waitFor(() => expect(clock.armed).toEqual([2000]));
    clock.advance(2000);
    return (await answer).status;
  };
  for (let nth = 1; nth <= 10; nth += 1) expect([await round(), asked]).toEqual([503, 1]);
  expect([await round(), asked]).toEqual([503, 2]);
  await listening.close();
});
