import type { IncomingMessage } from 'node:http';
import { TaskBridgeClientError, type AuthAnswer, type AuthProvider, type AuthRequest, type ClientReport } from 'taskbridge/client';
import type { TaskBridgeClientOptions } from 'taskbridge/client/node';
import { memoryOutbox } from 'taskbridge/client/outbox';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { completed, TASK, writeEvents } from '../support/scripted-server.ts';
import { openOutbox } from '../outbox/outbox-harness.ts';
import { createHarness, numbers, type Harness } from './harness.ts';

let world: Harness;
beforeEach(async () => {
  world = await createHarness();
});
afterEach(() => world.close());

const transports = ['ws', 'sse', 'poll'] as const;
const cancelled = { taskId: TASK, status: 'CANCELLATION_REQUESTED' };
const refused = { code: 'AUTHENTICATION_ERROR', message: 'Who are you?', details: {} };
const iterate = (observation: AsyncIterable<unknown>): Promise<unknown> => observation[Symbol.asyncIterator]().next();
const codeOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => 'ok',
    (error: unknown) => (error instanceof TaskBridgeClientError ? error.code : error),
  );

/** A server whose log is one fact for whoever shows the token, and a 401 for everybody else. Notes what it was shown. */
function admit(isGood: (shown: string | undefined) => boolean): (string | undefined)[] {
  const shown: (string | undefined)[] = [];
  const { script } = world.server;
  const lets = ({ headers }: IncomingMessage): boolean => {
    shown.push(headers.authorization);
    return isGood(headers.authorization);
  };
  script.upgrade = (request) => (lets(request) ? undefined : [401, refused]);
  script.subscribed = ({ confirm, send }) => (confirm(), send(completed(1)));
  script.stream = (response, request) =>
    lets(request) ? writeEvents(response, completed(1)) : void response.writeHead(401).end(JSON.stringify(refused));
  script.poll = (_, request) =>
    lets(request) ? { taskId: TASK, events: [completed(1)], nextAfterEventId: '1-1000', hasMore: false, terminal: true } : [401, refused];
  script.command = (_path, _body, request) => (lets(request) ? [202, cancelled] : [401, refused]);
  return shown;
}

/** A provider that does one thing after the other, and the last of them from then on. */
function providerOf(...acts: readonly ((request: AuthRequest) => AuthAnswer | Promise<AuthAnswer>)[]) {
  const asked: AuthRequest[] = [];
  const auth: AuthProvider = (request) => {
    asked.push(request);
    return acts[Math.min(asked.length, acts.length) - 1]?.(request);
  };
  return { auth, asked };
}
const away = (): never => {
  throw new TypeError('Failed to fetch');
};
const hangs = (): Promise<AuthAnswer> => new Promise(() => undefined);
const gives = (answer: AuthAnswer) => (): AuthAnswer => answer;

describe('a provider that throws', () => {
  test.each(transports)('is a loss, from which an observation comes back by %s', async (transport) => {
    admit((shown) => shown === 'Bearer good');
    const { auth, asked } = providerOf(away, away, async () => away(), gives('good'));
    const reports: ClientReport[] = [];
    const client = world.client({ auth, transports: [transport], onReport: (report) => reports.push(report) });
    expect(await numbers(client.observe(TASK))).toEqual([1]);
    expect(asked).toHaveLength(4);
    const lost = { type: 'lost', taskId: TASK, transport, reason: 'no credentials: The auth provider failed; its error is the cause.' };
    expect(reports).toEqual([lost, lost, lost]);
  });

  test.each(transports)('is a loss also where it is asked anew after a 401, by %s', async (transport) => {
    admit((shown) => shown === 'Bearer good');
    let isAway = 2;
    const auth = ({ forceRefresh }: AuthRequest): string => (forceRefresh ? (isAway-- > 0 ? away() : (token = 'good')) : token);
    let token = 'old';
    expect(await numbers(world.client({ auth, transports: [transport] }).observe(TASK))).toEqual([1]);
  });

  test.each([false, true])('is final where classify says so, with its error as cause (after a 401: %s)', async (afterRefusal) => {
    admit(() => false);
    const cause = new Error('no keychain');
    const asked: TaskBridgeClientError[] = [];
    const client = world.client({
      auth: ({ forceRefresh }) => {
        if (forceRefresh === afterRefusal) throw cause;
        return 'old';
      },
      classify: (failure) => {
        asked.push(failure);
        return failure.code === 'CREDENTIALS_UNAVAILABLE' ? 'final' : undefined;
      },
    });
    await expect(iterate(client.observe(TASK))).rejects.toMatchObject({ code: 'CREDENTIALS_UNAVAILABLE', cause });
    await expect(client.cancel(TASK)).rejects.toMatchObject({ code: 'CREDENTIALS_UNAVAILABLE', cause });
    expect(asked.filter(({ code }) => code === 'CREDENTIALS_UNAVAILABLE')).toHaveLength(2);
  });

  test('costs a command a try, also after a 401', async () => {
    const shown = admit((authorization) => authorization === 'Bearer good');
    const { auth, asked } = providerOf(away, gives('old'), away, gives('old'), gives('good'), gives('good'));
    await world.client({ auth }).cancel(TASK);
    expect(asked.map(({ forceRefresh }) => forceRefresh)).toEqual([false, false, true, false, true, false]);
    expect(shown).toEqual(['Bearer old', 'Bearer old', 'Bearer good']);
  });

  test('fails a command when its tries are spent, as something that may pass', async () => {
    const { auth, asked } = providerOf(away);
    const client = world.client({ auth, limits: { commandRetriesMax: 2 } });
    await expect(client.get(TASK)).rejects.toMatchObject({ code: 'CREDENTIALS_UNAVAILABLE', retryable: true });
    expect(asked).toHaveLength(3);
    expect(world.server.seen).toEqual([]);
  });
});

describe('a provider that is asked anew after a 401', () => {
  test.each(transports)('and answers null makes the refusal final at once, by %s', async (transport) => {
    const shown = admit(() => false);
    const auth = ({ forceRefresh }: AuthRequest): AuthAnswer => (forceRefresh ? null : 'old');
    const failure = { code: 'AUTHENTICATION_ERROR', status: 401, message: 'Who are you?' };
    await expect(iterate(world.client({ auth, transports: [transport] }).observe(TASK))).rejects.toMatchObject(failure);
    await expect(world.client({ auth }).cancel(TASK)).rejects.toMatchObject(failure);
    expect(shown).toEqual(['Bearer old', 'Bearer old']);
  });

  test('and answers undefined, as hosts with cookies do, is tried once more', async () => {
    let cookies = 'old';
    const shown = admit(() => cookies === 'new');
    const auth = ({ forceRefresh }: AuthRequest): undefined => {
      if (forceRefresh) cookies = 'new';
    };
    const client = world.client({ auth });
    await client.cancel(TASK);
    cookies = 'old';
    expect(await numbers(client.observe(TASK))).toEqual([1]);
    expect(shown).toEqual([undefined, undefined, undefined, undefined]);
  });
});

describe('a provider that never settles', () => {
  test('holds a command no longer than its signal, its time-out, its client, or credentialsMs', async () => {
    const clock = fakeClock();
    const { auth, asked } = providerOf(hangs);
    const client = world.client({ clock, auth, limits: { commandTimeoutMs: 1_000, commandRetriesMax: 0 } });
    const patient = world.client({ clock, auth, limits: { credentialsMs: 700, commandRetriesMax: 0 } });
    const given = new AbortController();
    const calls = [
      codeOf(client.get(TASK, { signal: given.signal })),
      codeOf(client.get(TASK)),
      codeOf(patient.get(TASK)),
      codeOf(world.client({ clock, auth, limits: { openMs: 1_300, commandRetriesMax: 0 } }).get(TASK)),
    ];
    await eventually(() => asked.length === 4);
    expect(asked.map(({ signal }) => signal.aborted)).toEqual([false, false, false, false]);
    given.abort();
    clock.advance(599);
    expect(asked.map(({ signal }) => signal.aborted)).toEqual([true, false, false, false]);
    clock.advance(401);
    expect(await Promise.all(calls)).toEqual(['ABORTED', 'TIMEOUT', 'CREDENTIALS_UNAVAILABLE', 'CREDENTIALS_UNAVAILABLE']);
    const last = codeOf(client.get(TASK));
    await eventually(() => asked.length === 5);
    await client.close();
    expect(await last).toBe('CLOSED');
    expect(asked.every(({ signal }) => signal.aborted)).toBe(true);
    expect(clock.armed).toEqual([]);
  });

  test('holds neither a refresh after a 401 beyond those limits, nor the calls that come later', async () => {
    admit((shown) => shown === 'Bearer good');
    const clock = fakeClock();
    const { auth, asked } = providerOf(gives('old'), hangs, gives('good'));
    const client = world.client({ clock, auth, limits: { commandRetriesMax: 0 } });
    const first = codeOf(client.cancel(TASK));
    await eventually(() => asked.length === 2);
    const later = codeOf(client.cancel(TASK));
    clock.advance(9_999);
    expect(asked).toHaveLength(2);
    clock.advance(1);
    expect(await Promise.all([first, later])).toEqual(['CREDENTIALS_UNAVAILABLE', 'ok']);
    expect(asked.map(({ forceRefresh, signal }) => [forceRefresh, signal.aborted])).toEqual([
      [false, false],
      [true, true],
      [false, false],
    ]);
  });

  test('is given up as soon as nobody waits for it any more, and asked anew by whoever comes next', async () => {
    admit((shown) => shown === 'Bearer good');
    const { auth, asked } = providerOf(gives('old'), hangs, gives('good'));
    const client = world.client({ auth });
    const given = new AbortController();
    const first = codeOf(client.cancel(TASK, undefined, { signal: given.signal }));
    await eventually(() => asked.length === 2);
    given.abort();
    expect([await first, asked[1]?.signal.aborted]).toEqual(['ABORTED', true]);
    expect(await codeOf(client.cancel(TASK))).toBe('ok');
  });

  test.each(transports)('is a loss for an observation by %s, told with its reason', async (transport) => {
    admit((shown) => shown === 'Bearer good');
    const clock = fakeClock();
    const { auth, asked } = providerOf(hangs, gives('good'));
    const reports: ClientReport[] = [];
    const client = world.client({ clock, auth, transports: [transport], onReport: (report) => reports.push(report) });
    const seen = numbers(client.observe(TASK));
    await eventually(() => asked.length === 1);
    clock.advance(10_000);
    await eventually(() => reports.length === 1 && clock.armed.length === 1);
    clock.advance(clock.next ?? 0);
    expect(await seen).toEqual([1]);
    expect([asked[0]?.signal.aborted, reports[0]]).toMatchObject([
      true,
      { type: 'lost', reason: 'no credentials: The auth provider gave nothing within 10000 ms.' },
    ]);
  });

  test('lets an observation be closed at once', async () => {
    const clock = fakeClock();
    const { auth, asked } = providerOf(hangs);
    const observation = world.client({ clock, auth }).observe(TASK);
    await eventually(() => asked.length === 1);
    observation.close();
    expect([asked[0]?.signal.aborted, clock.armed]).toEqual([true, []]);
  });
});

describe('an outbox', () => {
  test('keeps a command while the provider fails, and sends it when that gives again', async () => {
    const shown = admit((authorization) => authorization === 'Bearer good');
    const { auth, asked } = providerOf(away, away, gives('old'), away, gives('good'));
    const outbox = openOutbox(world.server.baseUrl, { store: memoryOutbox('ada') }, { auth });
    const { settled } = await outbox.cancel(TASK);
    expect(await settled()).toMatchObject({ state: 'done', response: cancelled });
    expect([asked.length, shown]).toEqual([5, ['Bearer old', 'Bearer good']]);
  });

  test('closes at once while the provider hangs', async () => {
    const { auth, asked } = providerOf(hangs);
    const outbox = openOutbox(world.server.baseUrl, { store: memoryOutbox('ada') }, { auth });
    await outbox.cancel(TASK);
    await eventually(() => asked.length === 1);
    await outbox.close();
    expect(asked[0]?.signal.aborted).toBe(true);
  });
});

describe('what a provider gives', () => {
  const everywhere = async (auth: AuthProvider, options: Partial<TaskBridgeClientOptions> = {}): Promise<void> => {
    for (const transport of transports) await numbers(world.client({ auth, transports: [transport], ...options }).observe(TASK));
    await world.client({ auth, ...options }).cancel(TASK);
  };

  test.each<[string, AuthAnswer]>([
    ['a token', ' good\r\n'],
    ['a token with its end', { token: 'good\n', expiresAt: Number.MAX_SAFE_INTEGER }],
    ['a header', { authorization: 'Bearer good\n' }],
  ])('is trimmed, on every transport alike: %s', async (_, answer) => {
    const shown = admit((authorization) => authorization === 'Bearer good');
    await everywhere(() => answer);
    expect(shown).toEqual(Array.from({ length: 4 }, () => 'Bearer good'));
  });

  test.each<[string, AuthAnswer]>([
    ['an empty token', ' \n'],
    ['an empty token with its end', { token: '', expiresAt: Number.MAX_SAFE_INTEGER }],
    ['a scheme without a token', { authorization: 'Bearer ' }],
    ['an empty header', { authorization: '' }],
  ])('sends no header where it is %s', async (_, answer) => {
    const shown = admit(() => true);
    await everywhere(() => answer);
    expect(shown).toEqual([undefined, undefined, undefined, undefined]);
  });

  test.each<[string, AuthAnswer, string]>([
    ['a token', 'two\nlines', 'a token that no header can carry'],
    ['a token with its end', { token: 'two\nlines', expiresAt: 1 }, 'a token that no header can carry'],
    ['a header', { 'x-tenant': 'snow ☃' }, 'a header "x-tenant" that no header can carry'],
    ['the name of a header', { 'x tenant': '1' }, 'a header by an impossible name: "x tenant"'],
  ])('is refused by name where nothing could carry it, and is a failure of the provider: %s', async (_, answer, name) => {
    admit(() => true);
    const limits = { commandRetriesMax: 0 };
    const message = expect.stringContaining(`The auth provider gave ${name}`) as string;
    await expect(world.client({ auth: () => answer, limits }).cancel(TASK)).rejects.toMatchObject({
      code: 'CREDENTIALS_UNAVAILABLE',
      message,
    });
    for (const transport of transports) {
      const reports: ClientReport[] = [];
      const { auth } = providerOf(gives(answer), gives('good'));
      await numbers(world.client({ auth, transports: [transport], onReport: (report) => reports.push(report) }).observe(TASK));
      expect(reports).toMatchObject([{ type: 'lost', reason: expect.stringContaining(`The auth provider gave ${name}`) as string }]);
    }
  });
});
