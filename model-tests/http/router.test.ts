import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TaskBridgeError } from '../../server/errors.ts';
import { refuseUpgrade } from '../../server/http/error-response.ts';
import { httpDefaults, httpOptions } from '../../server/http/options.ts';
import { onLoopback } from '../support/loopback.ts';
import { RUNNING } from './fake-service.ts';
import { fixedClock, startHost, type Host } from './host.ts';
import { head, openRaw } from './raw.ts';

const ada = { headers: { authorization: 'Bearer ada' } };

describe('the HTTP door', () => {
  let host: Host;
  beforeAll(async () => void (host = await startHost()));
  afterAll(() => host.close());

  it('leaves every other path to the host', async () => {
    for (const path of ['/', '/api', '/api/v10/tasks', '/api/v1x', '/API/V1/tasks', '/tasks', '/health/x', '/readyz'])
      expect([path, await (await fetch(host.url + path)).text()]).toEqual([path, 'the host']);
    expect(await (await fetch(`${host.url}/health`, { method: 'POST' })).text()).toBe('the host');
  });

  it('serves any prefix, one with names too', async () => {
    for (const [prefix, path] of [
      ['', ''],
      ['/', ''],
      ['/a/b/', '/a/b'],
      ['/:tenant', '/acme'],
      ['/p/:project', '/p/7'],
    ] as const) {
      const other = await startHost({ prefix });
      expect((await fetch(`${other.url}${path}/tasks/${RUNNING}`, ada)).status).toBe(200);
      expect((await fetch(`${other.url}${path}/tasks/${RUNNING}/x`, ada)).status).toBe(404);
      await other.close();
    }
    const root = await startHost({ prefix: '/' });
    expect(await (await fetch(`${root.url}/elsewhere`)).text()).toBe('the host');
    await root.close();
    for (const prefix of ['api', '/a b', '/a//b', '/(a)', '/*x', '/{a}']) await expect(startHost({ prefix })).rejects.toThrow(RangeError);
  });

  it('answers HEAD like GET without a body, and starts no stream and no wait for it', async () => {
    for (const path of [`/${RUNNING}`, `/${RUNNING}/events?waitTimeoutMs=60000`, `/${RUNNING}/events/stream`]) {
      const response = await fetch(`${host.url}/api/v1/tasks${path}`, { ...ada, method: 'HEAD' });
      expect([response.status, await response.text()]).toEqual([200, '']);
    }
    expect(host.live.streams).toEqual([]);
  });

  it('answers OPTIONS without credentials, and only with what a path allows', async () => {
    const response = await fetch(`${host.url}/api/v1/tasks/${RUNNING}`, { method: 'OPTIONS' });
    expect([response.status, response.headers.get('allow')]).toEqual([204, 'HEAD, GET, DELETE, OPTIONS']);
    expect((await fetch(`${host.url}/api/v1/nope`, { method: 'OPTIONS', ...ada })).status).toBe(404);
  });

  it('never answers a strange request line with a 500', async () => {
    for (const target of [
      'http://[::1/api/v1/tasks',
      'http://a:99999999/api/v1/tasks',
      '/api/v1/tasks/%',
      '/api/v1/tasks/%ff/events?%',
      '//',
      '*',
      '/api/v1/tasks/a?b?c#d',
    ]) {
      const raw = openRaw(host.port);
      await raw.write(head(`GET ${target}`, { connection: 'close' }));
      const { status } = await raw.answer;
      expect([target, status]).not.toEqual([target, 500]);
    }
    const raw = openRaw(host.port);
    await raw.write(head(`GET /api/v1/tasks/${RUNNING}`, { host: ']:[', connection: 'close' }));
    expect((await raw.answer).status).toBe(200);
  });

  it('hands a stream over with its cursor, the header before the query', async () => {
    const url = `${host.url}/api/v1/tasks/${RUNNING}/events/stream?lastEventId=1-1&extensions=gap`;
    expect(await (await fetch(url, ada)).text()).toBe(': hello\n\n');
    await (await fetch(url, { headers: { ...ada.headers, 'last-event-id': '2-2' } })).text();
    expect(host.live.streams.map(({ taskId, after, extensions, auth }) => [taskId, after, extensions, auth.subject])).toEqual([
      [RUNNING, '1-1', 'gap', 'ada'],
      [RUNNING, '2-2', 'gap', 'ada'],
    ]);
  });

  it('stops a waiting poll when its client goes, and logs nothing', async () => {
    const gone = new AbortController();
    const request = fetch(`${host.url}/api/v1/tasks/${RUNNING}/events?waitTimeoutMs=60000`, { ...ada, signal: gone.signal });
    await host.live.waiting;
    const { signal } = host.live.polls.at(-1) ?? expect.fail('no poll arrived');
    const aborted = new Promise((resolve) => signal?.addEventListener('abort', resolve));
    gone.abort();
    await expect(request).rejects.toThrow();
    await aborted;
    expect(host.logged).toEqual([]);
  });

  it('passes a cancel reason on, and none for null', async () => {
    const cancel = (body: string) =>
      fetch(`${host.url}/api/v1/tasks/${RUNNING}/cancel`, {
        method: 'POST',
        headers: { ...ada.headers, 'content-type': 'application/json' },
        body,
      });
    await cancel('{"reason":"enough"}');
    await cancel('{"reason":null}');
    expect(host.calls.filter(({ verb }) => verb === 'cancel').map(({ args }) => args)).toEqual([['enough'], [undefined]]);
  });

  it('gives foreign and unknown tasks the same bytes but for the id', async () => {
    const text = async (subject: string, id: string, rest: string, init: RequestInit = {}) =>
      (
        await (
          await fetch(`${host.url}/api/v1/tasks/${id}${rest}`, {
            ...init,
            headers: { authorization: `Bearer ${subject}`, ...init.headers },
          })
        ).text()
      ).replace(id, '');
    const action = {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"clientActionId":"a","suspendId":"s","actionType":"t"}',
    };
    for (const [rest, init] of [
      ['', {}],
      ['/events', {}],
      ['/events/stream', {}],
      ['/cancel', { method: 'POST' }],
      ['/actions', action],
    ] as const)
      expect(await text('bob', RUNNING, rest, init)).toBe(await text('ada', '0'.repeat(32), rest, init));
  });

  it('logs what it does not tell', async () => {
    const other = await startHost();
    const create = (taskType: string) =>
      fetch(`${other.url}/api/v1/tasks`, {
        method: 'POST',
        headers: { ...ada.headers, 'content-type': 'application/json' },
        body: JSON.stringify({ clientRequestId: 'r1', taskType }),
      });
    await create('broken');
    await create('down');
    await create('busy');
    expect(other.logged.map(({ message, fields }) => [message, String(fields?.['error'])])).toEqual([
      ['A request failed.', 'Error: secret'],
      ['The store did not answer.', 'Error: secret'],
    ]);
    await other.close();
  });
});

describe('the health routes', () => {
  const ready = async (host: Host) => {
    const response = await fetch(`${host.url}/ready`);
    return [response.status, (await response.json()) as unknown];
  };

  it('need no credentials and stand at the root', async () => {
    const host = await startHost();
    const response = await fetch(`${host.url}/health`);
    expect([response.status, response.headers.get('cache-control'), await response.text()]).toEqual([200, 'no-store', '{"status":"ok"}']);
    expect(await ready(host)).toEqual([200, { status: 'ready', details: {} }]);
    await host.close();
  });

  it('name each probe, and never say why one failed', async () => {
    let fails = true;
    const probes = {
      store: { check: async () => ({ ready: true, details: { tasks: 3, status: 'overridden' } }) },
      executor: { check: async () => ({ ready: false }) },
      throwing: { check: () => (fails ? Promise.reject(new Error('secret')) : Promise.resolve({ ready: true })) },
      mute: { check: () => new Promise<never>(() => {}) },
    };
    const host = await startHost({ probes, options: { probeTimeoutMs: 20 } });
    const answer = {
      store: { tasks: 3, status: 'ready' },
      executor: { status: 'not_ready' },
      throwing: { status: 'not_ready' },
      mute: { status: 'not_ready' },
    };
    expect(await ready(host)).toEqual([503, { status: 'not_ready', details: answer }]);
    expect(await ready(host)).toEqual([503, { status: 'not_ready', details: answer }]);
    expect(host.logged.map(({ message }) => message).sort()).toEqual([
      'The readiness probe "mute" failed.',
      'The readiness probe "throwing" failed.',
    ]);
    fails = false;
    expect(await ready(host)).toMatchObject([503, { details: { throwing: { status: 'ready' } } }]);
    await host.close();
  });

  it('ask the probes once for requests that come together', async () => {
    let asked = 0;
    let arrived = 0;
    let answer = (_: { ready: boolean }) => {};
    const probes = { slow: { check: () => (asked++, new Promise<{ ready: boolean }>((resolve) => (answer = resolve))) } };
    const host = await startHost({
      probes,
      async before(_ctx, next) {
        if (++arrived === 3) setImmediate(() => answer({ ready: true }));
        await next();
      },
    });
    expect(await Promise.all([ready(host), ready(host), ready(host)])).toEqual(
      Array(3).fill([200, { status: 'ready', details: { slow: { status: 'ready' } } }]),
    );
    expect(asked).toBe(1);
    await host.close();
  });
});

describe('the options of the HTTP door', () => {
  it('are checked at construction, with a reason', () => {
    expect(httpOptions()).toEqual(httpDefaults);
    expect(() => httpOptions({ bodyBytesMax: 0 })).toThrow('bodyBytesMax (0) must be a whole number from 1');
    expect(() => httpOptions({ drainMs: 2 ** 31 })).toThrow('drainMs (2147483648)');
    expect(() => httpOptions({ uploadBytesMax: 65 * 1024 * 1024 })).toThrow('could never arrive');
    expect(() => httpOptions({ requestTimeoutMs: 1_800_001 })).toThrow('could be swept');
    expect(() => httpOptions({ uploadContentTypes: ['csv'] })).toThrow('"csv" is no media type');
    // A misspelt option, as JavaScript hosts may give it.
    expect(() => httpOptions({ bodyBytes: 1 } as object)).toThrow('bodyBytes is no option of the HTTP router');
  });
});

describe('a refused upgrade', () => {
  it('gets the same envelope on its bare socket, and a closed connection', async () => {
    const server = createServer();
    server.on('upgrade', (_request, socket) =>
      refuseUpgrade(socket, new TaskBridgeError('RATE_LIMITED', 'Too many sockets.', { retryAfterSeconds: 3 }), fixedClock),
    );
    const { port, close } = await onLoopback(server);
    const raw = openRaw(port);
    await raw.write(head('GET /api/v1/tasks/ws', { connection: 'Upgrade', upgrade: 'websocket' }));
    const { status, headers, body } = await raw.answer;
    expect([status, headers['retry-after'], headers['connection']]).toEqual([429, '3', 'close']);
    expect(JSON.parse(body)).toEqual({
      code: 'RATE_LIMITED',
      message: 'Too many sockets.',
      details: {},
      timestamp: '2026-09-21T14:13:20.000Z',
    });
    await raw.closed;
    await close();
  });
});
