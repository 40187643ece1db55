import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { completed, createScriptedServer, facts, snapshotAt, TASK, type ScriptedServer } from '../support/scripted-server.ts';
import type * as App from './app.ts';
import { bundle } from './bundle.ts';
import { createNativeRealm, globalsOf, versionOf, versions, type NativeRealm } from './react-native.ts';

let program: string;
beforeAll(async () => {
  program = await bundle(fileURLToPath(new URL('app.ts', import.meta.url)), { format: 'iife', globalName: 'app' });
});

const log = [...facts(1, 4), completed(5)];
const ids = log.map((_, index) => `${index + 1}-1000`);
const created: [number, object] = [201, { taskId: TASK, status: 'ACCEPTED', clientRequestId: 'r', deduplicated: false }];
/** AsyncStorage of version 2, as far as it is used. */
function asyncStorage() {
  const texts = new Map<string, string>();
  return {
    texts,
    getItem: async (key: string) => texts.get(key) ?? null,
    setItem: async (key: string, text: string) => void texts.set(key, text),
    removeItem: async (key: string) => void texts.delete(key),
    getAllKeys: async () => [...texts.keys()],
  };
}

describe.each(versions)('the client on the globals of React Native %s, by its own sources', (version) => {
  let globals: string;
  let server: ScriptedServer;
  let realm: NativeRealm;
  let app: typeof App;
  beforeAll(async () => {
    globals = await globalsOf(version);
  });
  beforeEach(async () => {
    server = await createScriptedServer();
    realm = createNativeRealm(globals);
    app = realm.run<typeof App>(program, 'app');
  });
  afterEach(async () => {
    realm.native.close();
    await server.close();
  });
  const options = () => ({ baseUrl: server.baseUrl });

  test('which lack what the client must do without', () => {
    expect(versionOf(version)).toMatch(new RegExp(`^${version.replace('.', '\\.')}\\.`));
    expect(app.platform()).toMatchObject({
      canParse: 'undefined',
      hasBodies: false,
      decoder: 'undefined',
      streams: 'undefined',
    });
  });

  test('starts, watches, answers and cancels over a WebSocket that sends its credentials as a header', async () => {
    const authorizations: (string | undefined)[] = [];
    server.script.command = (path) =>
      path.endsWith('/tasks')
        ? created
        : [
            202,
            {
              taskId: TASK,
              suspendId: 's',
              clientActionId: 'c',
              status: path.endsWith('/actions') ? 'ACCEPTED' : 'CANCELLATION_REQUESTED',
            },
          ];
    server.script.upgrade = ({ headers }) => void authorizations.push(headers.authorization, headers['sec-websocket-protocol']);
    server.script.subscribed = ({ confirm, send }) => (confirm(), send(...log));
    expect(await app.wholeLife({ ...options(), token: 'secret' })).toEqual({
      ids,
      status: 'ACCEPTED',
      cancelled: 'CANCELLATION_REQUESTED',
      state: 'completed',
      transport: 'ws',
    });
    expect(authorizations).toEqual(['Bearer secret', undefined]);
    expect(server.seen).not.toContain('sse');
  });

  test('goes from a WebSocket that never opens to long polls: server-sent events are not even tried', async () => {
    server.script.upgrade = 404;
    server.script.snapshot = () => snapshotAt(null);
    server.script.poll = () => ({ taskId: TASK, events: log, nextAfterEventId: '5-1000', hasMore: false });
    expect(await app.watch(TASK, options())).toEqual({ ids, state: 'completed', transport: 'poll' });
    expect(server.seen).not.toContain('sse');
  });

  test.each(['ws', 'poll'] as const)('comes back from a cut of %s, and each fact comes once', async (transport) => {
    let visits = 0;
    server.script.snapshot = () => snapshotAt('2-1000');
    server.script.subscribed = ({ lastEventId, confirm, send, cut }) => {
      confirm(['gap']);
      visits += 1;
      const after = Number(lastEventId?.split('-')[0] ?? 0);
      send(...log.slice(after, visits === 1 ? 2 : 5));
      // What was sent arrives before the cut does.
      if (visits === 1) setImmediate(cut);
    };
    server.script.poll = (query, request) => {
      visits += 1;
      const after = Number(query.get('afterEventId')?.split('-')[0] ?? 0);
      if (visits === 2) return void request.socket.destroy();
      const events = log.slice(after, visits === 1 ? 2 : 5);
      return { taskId: TASK, events, nextAfterEventId: `${after + events.length}-1000`, hasMore: false };
    };
    expect(await app.watch(TASK, { ...options(), transports: [transport] })).toEqual({ ids, state: 'completed', transport });
    expect(visits).toBeGreaterThan(1);
  });

  test('takes a time-out for what it is, though the signals of the platform forget why they were aborted', async () => {
    let tries = 0;
    server.script.command = () => (++tries < 3 ? undefined : created);
    expect(await app.startOne({ ...options(), limits: { commandTimeoutMs: 50 } })).toBe(TASK);
    expect(tries).toBe(3);
    server.script.command = () => undefined;
    expect(await app.startOne({ ...options(), limits: { commandTimeoutMs: 20, commandRetriesMax: 1 } })).toBe('TIMEOUT');
  });

  test('tells a caller that left from a client that was closed', async () => {
    server.script.lateSnapshot = () => undefined;
    const asked = () => eventually(() => server.seen.filter((one) => one === 'get').length === 2);
    expect([...(await app.endings(options(), asked))]).toEqual(['ABORTED', 'CLOSED']);
  });

  test('goes on after a restart from the checkpoint in AsyncStorage', async () => {
    const storage = asyncStorage();
    const after: (string | null)[] = [];
    server.script.subscribed = ({ lastEventId, confirm, send }) => {
      confirm();
      after.push(lastEventId);
      send(...log.slice(Number(lastEventId?.split('-')[0] ?? 0)));
    };
    await app.watchSome(TASK, 3, options(), storage);
    expect([...(await app.watchSome(TASK, 9, options(), storage))]).toEqual(ids.slice(3));
    expect(after).toEqual([null, '3-1000']);
    expect(storage.texts.size).toBe(0);
  });

  test('sends after a restart what the outbox kept in AsyncStorage, files by their address', async () => {
    const storage = asyncStorage();
    const bodies: string[] = [];
    server.script.command = (_path, body) => (bodies.push(body), created);
    realm.native.files.set('file:///photo.jpg', 'the photo');
    const attachments = [{ fileName: 'photo.jpg', contentType: 'image/jpeg', content: { uri: 'file:///photo.jpg' } }];
    const first = await app.leaveInOutbox(options(), storage);
    await app.leaveInOutbox(options(), storage, attachments);
    expect(storage.texts.size).toBe(2);
    expect([...(await app.sendOutbox(options(), storage))]).toEqual(['done', 'done']);
    expect(JSON.parse(bodies[0] ?? '')).toMatchObject({ clientRequestId: first });
    for (const part of ['name="attachments"', 'filename="photo.jpg"', 'image/jpeg', 'the photo']) expect(bodies[1]).toContain(part);
  });

  test('refuses by name an attachment that the platform cannot send', async () => {
    const content = new Uint8Array([1, 2, 3]);
    expect(await app.startOne(options(), [{ fileName: 'a', content }])).toBe('INVALID_ARGUMENT');
    expect(server.seen).toEqual([]);
  });
});
