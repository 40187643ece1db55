import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { denyAll, ownerOnly, requireScopes, type TaskAccess } from '../../server/access/index.ts';
import {
  createTaskBridge,
  type AuthContext,
  type AuthContextResolver,
  type OwnershipPolicy,
  type TaskBridgeOptions,
} from '../../server/index.ts';
import type { Json, JsonObject } from '../../machines/wire/index.ts';
import { inProcess } from '../../adapters/in-process/index.ts';
import { memoryAttachments, memoryStore } from '../../adapters/memory/index.ts';
import { securedHost, type SecuredHost } from './auth-host.ts';

/** Bearer tokens of the tests are `<subject>` or `<subject>+<scope>+<scope>`. */
const auth: AuthContextResolver = ({ headers }) => {
  const [subject, ...scopes] = (headers.authorization ?? '').replace(/^Bearer /, '').split('+');
  return subject ? { subject, scopes, appId: 'web', attributes: { team: subject.slice(0, 1) } } : undefined;
};

/** Every way to a task, and what is answered to it: 200, 202 or 404, or the close code of a socket. */
async function ways(host: SecuredHost, token: string, taskId: string): Promise<Record<string, number>> {
  const ask = async (method: string, path: string, body?: object) => (await host.call(token, method, path, body)).status;
  const stream = await fetch(`${host.url}/api/v1/tasks/${taskId}/events/stream`, { headers: { authorization: `Bearer ${token}` } });
  await stream.body?.cancel();
  return {
    snapshot: await ask('GET', `/${taskId}`),
    poll: await ask('GET', `/${taskId}/events`),
    stream: stream.status,
    socket: await subscribed(host, token, taskId),
    answer: await ask('POST', `/${taskId}/actions`, { clientActionId: token, suspendId: await host.question(taskId), actionType: 'yes' }),
    cancel: await ask('POST', `/${taskId}/cancel`),
  };
}

/** 101 where the task is shown over a WebSocket, else the code of its close. */
function subscribed(host: SecuredHost, token: string, taskId: string): Promise<number> {
  const socket = new WebSocket(`${host.url.replace('http', 'ws')}/api/v1/tasks/ws`, { headers: { authorization: `Bearer ${token}` } });
  return new Promise((resolve, reject) => {
    socket.once('open', () => socket.send(JSON.stringify({ action: 'subscribe', taskId })));
    socket.once('message', () => {
      resolve(101);
      socket.terminate();
    });
    socket.once('close', resolve);
    socket.once('error', reject);
  });
}

const all = { snapshot: 200, poll: 200, stream: 200, socket: 101, answer: 202, cancel: 202 };
const hidden = { snapshot: 404, poll: 404, stream: 404, socket: 1008, answer: 404, cancel: 404 };
const shown = { ...all, answer: 404, cancel: 404 };
const changed = { ...hidden, answer: 202, cancel: 202 };
const create = (host: SecuredHost, token: string) => host.call(token, 'POST', '', { clientRequestId: `r-${token}`, taskType: 'ask' });

describe('who may do what', () => {
  test.each<[string, Partial<TaskBridgeOptions>]>([
    ['by default', {}],
    ['by ownerOnly', { ownership: ownerOnly }],
    ['by a policy that speaks of creates only', { ownership: { refuseCreate: () => undefined } }],
  ])('anybody may create, and only the owner sees and changes, %s', async (_name, options) => {
    const host = await securedHost({ auth, ...options });
    const taskId = await host.create('ada');
    expect(await ways(host, 'bob', taskId)).toEqual(hidden);
    expect(await ways(host, 'ada', taskId)).toEqual(all);
  });

  test('nobody may do anything by denyAll', async () => {
    const store = memoryStore();
    const before = await securedHost({ auth, store: { ...store, close: async () => undefined } });
    const taskId = await before.create('ada');
    const host = await securedHost({ auth, store, ownership: denyAll });
    expect(await create(host, 'ada')).toMatchObject({
      status: 403,
      code: 'TASK_OWNERSHIP_ERROR',
      message: 'Nobody may create tasks here.',
    });
    expect(await ways(host, 'ada', taskId)).toEqual(hidden);
  });

  test('a policy of the host’s own is asked about every way to a task, and its text is the 403 of a create', async () => {
    const asked: [TaskAccess, string, string][] = [];
    const seen: AuthContext[] = [];
    const ownership: OwnershipPolicy = {
      refuseCreate: async ({ subject }, { taskType, metadata }) =>
        subject === 'eve' ? `Eve may not create ${taskType} with ${JSON.stringify(metadata)}.` : undefined,
      allowAccess: async (caller, about, access) => {
        asked.push([access, caller.subject, about.owner]);
        seen.push(caller);
        return caller.attributes?.['team'] === about.owner.slice(0, 1);
      },
    };
    const host = await securedHost({ auth, ownership });
    const taskId = await host.create('ada');
    expect(await host.call('eve', 'POST', '', { clientRequestId: 'r', taskType: 'ask', metadata: { a: 1 } })).toMatchObject({
      status: 403,
      code: 'TASK_OWNERSHIP_ERROR',
      message: 'Eve may not create ask with {"a":1}.',
    });
    expect(await ways(host, 'amy', taskId)).toEqual(all);
    expect(await ways(host, 'bob', taskId)).toEqual(hidden);
    const each: TaskAccess[] = ['read', 'read', 'read', 'read', 'write', 'write'];
    expect(asked).toEqual([...each.map((access) => [access, 'amy', 'ada']), ...each.map((access) => [access, 'bob', 'ada'])]);
    expect(seen[0]).toEqual({ subject: 'amy', scopes: [], appId: 'web', attributes: { team: 'a' }, params: {} });
  });

  test('a policy that throws shows and changes nothing, and says nothing of why', async () => {
    const ownership: OwnershipPolicy = {
      allowAccess: () => {
        throw new Error('the directory is away');
      },
    };
    const host = await securedHost({ auth, ownership });
    const taskId = await host.create('ada');
    const { status, message } = await host.call('ada', 'POST', `/${taskId}/cancel`);
    expect([status, message?.includes('directory')]).toEqual([500, false]);
    expect(await subscribed(host, 'ada', taskId)).toBe(1006);
  });
});

describe('scopes', () => {
  test.each([
    ['both', 'ada+tasks:read+tasks:write', 201, all],
    ['reading', 'ada+tasks:read', 403, shown],
    ['writing', 'ada+tasks:write', 201, changed],
    ['none', 'ada', 403, hidden],
    ['others', 'ada+tasks+TASKS:READ+read', 403, hidden],
  ])('open what they are for, to the owner: %s', async (_name, token, created, open) => {
    const host = await securedHost({ auth, ownership: requireScopes() });
    const taskId = await host.create('ada+tasks:write');
    expect((await create(host, token)).status).toBe(created);
    expect(await ways(host, token, taskId)).toEqual(open);
    expect(await ways(host, token.replace('ada', 'bob'), taskId)).toEqual(hidden);
  });

  test('are named where a create lacks one, may have other names, and stand before another policy', async () => {
    const within: OwnershipPolicy = { refuseCreate: () => 'Not today.', allowAccess: (caller) => caller.subject === 'boss' };
    const host = await securedHost({ auth, ownership: requireScopes({ read: 'see', write: 'do', within }) });
    expect(await create(host, 'ada+tasks:write')).toMatchObject({
      status: 403,
      message: 'Creating a task needs credentials with the scope do.',
    });
    expect(await create(host, 'ada+do')).toMatchObject({ status: 403, message: 'Not today.' });
    const store = memoryStore();
    const before = await securedHost({ auth, store: { ...store, close: async () => undefined } });
    const taskId = await before.create('ada');
    const after = await securedHost({ auth, store, ownership: requireScopes({ read: 'see', within }) });
    expect((await after.call('boss+see', 'GET', `/${taskId}`)).status).toBe(200);
    expect((await after.call('ada+see', 'GET', `/${taskId}`)).status).toBe(404);
    expect((await after.call('boss', 'GET', `/${taskId}`)).status).toBe(404);
  });

  test.each(['', 'two words', 'a"b', 'ü'])('have names that a token can carry, which %j is not', (read) => {
    expect(() => requireScopes({ read })).toThrow(RangeError);
  });
});

describe('uploads', () => {
  test('have a policy that is asked for creates without files too', async () => {
    const asked: [string, string[]][] = [];
    const host = await securedHost({
      auth,
      attachments: memoryAttachments(),
      uploads: {
        refuseUpload({ subject }, files) {
          asked.push([subject, files.map(({ fileName }) => fileName)]);
          return subject === 'eve' && files.length === 0 ? 'Eve has to bring a file.' : undefined;
        },
      },
    });
    expect((await create(host, 'ada')).status).toBe(201);
    expect(await create(host, 'eve')).toMatchObject({ status: 400, code: 'UPLOAD_VALIDATION_ERROR', message: 'Eve has to bring a file.' });
    const form = new FormData();
    form.set('clientRequestId', 'f');
    form.set('taskType', 'ask');
    form.set('attachment', new Blob(['hello']), 'hello.txt');
    const headers = { authorization: 'Bearer eve' };
    expect((await fetch(`${host.url}/api/v1/tasks`, { method: 'POST', headers, body: form })).status).toBe(201);
    expect(asked).toEqual([
      ['ada', []],
      ['eve', []],
      ['eve', ['hello.txt']],
    ]);
  });
});

describe('what a host forgot to give is said when the bridge is made', () => {
  const whole = { store: memoryStore(), executor: inProcess({}), auth };
  const shared = { ...memoryStore(), exclusive: false };
  test.each<[string, object, string]>([
    ['who asks', { auth: undefined }, 'auth is missing'],
    ['a store', { store: undefined }, 'store is missing'],
    ['an executor', { executor: undefined }, 'executor is missing'],
    ['an executor in the list', { executor: [] }, 'executor is missing'],
    ['an executor, and handlers instead', { executor: { ask: () => undefined } }, 'executor is missing'],
    ['an option by another name', { authContext: auth }, 'authContext is no option of a bridge; there are store, executor, auth'],
    ['files that all nodes see', { store: shared, attachments: memoryAttachments() }, 'give an attachment store that they share'],
  ])('%s', (_name, without, message) => {
    // A caller without TypeScript.
    expect(() => createTaskBridge({ ...whole, ...without } as TaskBridgeOptions)).toThrow(message);
    expect(() => createTaskBridge({ ...whole, ...without } as TaskBridgeOptions)).toThrow(TypeError);
  });
});

describe('what makes two creates the same', () => {
  const host = (idempotencyPayload?: TaskBridgeOptions['idempotencyPayload']) =>
    securedHost({ auth, attachments: memoryAttachments(), ...(idempotencyPayload && { idempotencyPayload }) });
  const send = async (to: SecuredHost, more: object) => {
    const { status, code } = await to.call('ada', 'POST', '', { clientRequestId: 'r', taskType: 'ask', input: { rows: 1 }, ...more });
    return code ?? status;
  };

  test('is type and input, not metadata, title or labels, where the host says nothing', async () => {
    const to = await host();
    expect([
      await send(to, {}),
      await send(to, { metadata: { a: 1 } }),
      await send(to, { title: 'July', labels: ['a'] }),
      await send(to, { input: { rows: 2 } }),
      await send(to, { taskType: 'work' }),
    ]).toEqual([201, 200, 200, 'IDEMPOTENCY_CONFLICT', 'IDEMPOTENCY_CONFLICT']);
  });

  test('may be what the host says: here the type and the metadata’s tenant, whatever the input', async () => {
    const to = await host(({ taskType, metadata }) => ({ taskType, tenant: metadata['tenant'] ?? null }));
    const metadata = { tenant: 'acme', trace: 1 };
    expect([
      await send(to, { metadata }),
      await send(to, { metadata: { ...metadata, trace: 2 }, input: { rows: 2 } }),
      await send(to, { metadata: { tenant: 'other' } }),
      await send(to, { metadata, taskType: 'work' }),
    ]).toEqual([201, 200, 'IDEMPOTENCY_CONFLICT', 'IDEMPOTENCY_CONFLICT']);
  });

  test('may be title and labels too, which are absent where there are none', async () => {
    const seen: object[] = [];
    const to = await host(({ title, labels, ...rest }) => {
      seen.push(rest);
      return { title: title ?? null, labels: labels ?? null };
    });
    expect([
      await send(to, { title: 'July', labels: ['a'] }),
      await send(to, { title: 'July', labels: ['a'], input: { rows: 2 } }),
      await send(to, { title: 'August', labels: ['a'] }),
      await send(to, { title: 'July', labels: [] }),
    ]).toEqual([201, 200, 'IDEMPOTENCY_CONFLICT', 'IDEMPOTENCY_CONFLICT']);
    expect(Object.keys(seen[0] ?? {})).toEqual(['taskType', 'input', 'metadata', 'attachments']);
  });

  test('may look at files, whose keys in the store are nobody’s business', async () => {
    const seen: object[] = [];
    const to = await host(({ attachments }) => {
      seen.push(...attachments);
      return attachments.map(({ sha256 }) => sha256);
    });
    const upload = async (text: string, name: string) => {
      const form = new FormData();
      form.set('clientRequestId', 'f');
      form.set('taskType', 'ask');
      form.set('attachment', new Blob([text]), name);
      return (await fetch(`${to.url}/api/v1/tasks`, { method: 'POST', headers: { authorization: 'Bearer ada' }, body: form })).status;
    };
    // Under another name it is another file, where the host says nothing.
    expect([await upload('hello', 'a.txt'), await upload('hello', 'b.txt'), await upload('other', 'a.txt')]).toEqual([201, 200, 409]);
    expect(Object.keys(seen[0] ?? {}).toSorted()).toEqual(['bytes', 'contentType', 'fieldName', 'fileName', 'sha256']);
  });

  test.each<[string, (input: JsonObject) => unknown]>([
    ['a promise', async (input) => input],
    ['a promise that fails', () => Promise.reject(new Error('a secret'))],
    ['a date', ({ rows }) => new Date(Number(rows))],
    ['a map inside', (input) => ({ input: new Map(Object.entries(input)) })],
    ['a set in a list', ({ rows }) => [new Set([rows])]],
    ['bytes', ({ rows }) => new Uint8Array([Number(rows)])],
    ['no number', () => ({ a: Number.NaN })],
    ['nothing inside', ({ missing }) => ({ a: missing })],
    ['a hole', () => Array.from({ length: 1 })],
    ['a function', () => () => 1],
    ['a bigint', () => 5n],
    [
      'an instance of a class',
      ({ rows }) =>
        new (class {
          readonly #rows = rows;
          rows = () => this.#rows;
        })(),
    ],
    [
      'a circle',
      () => {
        const circle: Record<string, unknown> = {};
        circle['again'] = circle;
        return circle;
      },
    ],
  ])('is refused as a fault of the host’s, and never a repeat, where its function gives %s', async (_name, broken) => {
    let isBroken = true;
    const to = await host(({ input }) => (isBroken ? (broken(input) as Json) : input));
    expect([await send(to, {}), await send(to, { input: { rows: 2 } })]).toEqual(['INTERNAL_ERROR', 'INTERNAL_ERROR']);
    expect(to.logged).toContain('A request failed.');
    isBroken = false;
    expect(await send(to, {})).toBe(201);
  });

  test('may be as deep as an input, with wraps around it, and hold half a character', async () => {
    const deep = (levels: number): object => (levels === 1 ? {} : { a: deep(levels - 1) });
    const to = await host(({ taskType, input }) => ({ taskType, half: '\ud800', wrapped: [{ input }] }));
    const input = deep(60);
    expect([await send(to, { input }), await send(to, { input }), await send(to, {})]).toEqual([201, 200, 'IDEMPOTENCY_CONFLICT']);
  });

  test.each<[string, () => never]>([
    [
      'throws',
      () => {
        throw new Error('a secret');
      },
    ],
    ['forgets to return', () => undefined as never],
  ])('writes nothing where the host’s function %s', async (_name, broken) => {
    let isBroken = true;
    const to = await host(({ input }) => (isBroken ? broken() : input));
    expect(await send(to, {})).toBe('INTERNAL_ERROR');
    isBroken = false;
    expect(await send(to, {})).toBe(201);
  });
});

describe('a context that a resolver gives', () => {
  test.each<[string, unknown]>([
    ['a text', 'not-tasks:read-x'],
    ['no texts', [7]],
    ['a promise', Promise.resolve(['tasks:read'])],
  ])('is the resolver’s fault, and lets nobody in, where its scopes are %s', async (_name, scopes) => {
    const to = await securedHost({ auth: () => ({ subject: 'ada', scopes: scopes as string[] }), ownership: requireScopes() });
    expect(await to.both('ada')).toMatchObject({ status: 500, code: 'INTERNAL_ERROR' });
    // Asked by itself, the policy finds no scope in it either.
    const about = { owner: 'ada' } as never;
    expect(requireScopes().allowAccess?.({ subject: 'ada', scopes: scopes as string[] }, about, 'read')).toBe(false);
  });

  // A resolver without TypeScript.
  test.each<[string, unknown]>([
    ['a date as text', '2020-01-01T00:00:00Z'],
    ['no number', Number.NaN],
    ['no end of time', Number.POSITIVE_INFINITY],
    ['null', null],
  ])('is the resolver’s fault, and lets nobody in, where its end is %s', async (_name, expiresAt) => {
    const to = await securedHost({ auth: () => ({ subject: 'ada', expiresAt: expiresAt as number }) });
    expect(await to.both('ada')).toMatchObject({ status: 500, code: 'INTERNAL_ERROR' });
    expect(to.logged).not.toEqual([]);
  });
});
