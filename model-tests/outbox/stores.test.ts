import 'fake-indexeddb/auto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { get, createStore } from 'idb-keyval';
import {
  indexedDbOutbox,
  memoryOutbox,
  webStorageOutbox,
  type EnumerableStorage,
  type OutboxStore,
  type StoredEntry,
} from 'taskbridge/client/outbox';
import { fileOutbox } from 'taskbridge/client/node';
import { asyncStorageOutbox, type AsyncTextStorage } from 'taskbridge/react-native';
import { describe, expect, onTestFinished, test } from 'vitest';
import { until } from '../support/until.ts';
import { handGate, openOutbox, takingServer } from './outbox-harness.ts';

let stores = 0;
const entry = (id: string, place: number): StoredEntry => ({ v: 1, id, place });
const byPlace = async (store: OutboxStore): Promise<string[]> =>
  [...(await store.read())].sort((a, b) => a.place - b.place).map(({ id }) => id);

function textStorage(charactersMax = Infinity): EnumerableStorage {
  const texts = new Map<string, string>();
  return {
    get length() {
      return texts.size;
    },
    key: (index) => [...texts.keys()][index] ?? null,
    getItem: (key) => texts.get(key) ?? null,
    setItem(key, text) {
      if ([...texts.values()].join('').length + text.length > charactersMax) throw new DOMException('Full.', 'QuotaExceededError');
      texts.set(key, text);
    },
    removeItem: (key) => void texts.delete(key),
  };
}

/** AsyncStorage, whose every call takes a turn. */
function asyncStorage(): AsyncTextStorage {
  const texts = new Map<string, string>();
  return {
    getItem: async (key) => texts.get(key) ?? null,
    setItem: async (key, text) => void texts.set(key, text),
    removeItem: async (key) => void texts.delete(key),
    getAllKeys: async () => [...texts.keys()],
  };
}

/** Two stores of one name, as two tabs have them, and one of another name. */
const kinds: Readonly<Record<string, () => readonly [OutboxStore, OutboxStore, OutboxStore]>> = {
  memory: () => {
    const one = memoryOutbox('ada');
    return [one, one, memoryOutbox('ada:1')];
  },
  IndexedDB: () => {
    const database = `outbox-${++stores}`;
    return [
      indexedDbOutbox({ name: 'ada', database }),
      indexedDbOutbox({ name: 'ada', database }),
      indexedDbOutbox({ name: 'ada:1', database }),
    ];
  },
  'a file': () => {
    const folder = mkdtempSync(join(tmpdir(), 'taskbridge-outbox-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const one = fileOutbox({ name: 'ada', path: join(folder, 'below/ada.json') });
    return [one, one, fileOutbox({ path: join(folder, 'other.json') })];
  },
  AsyncStorage: () => {
    const storage = asyncStorage();
    return [
      asyncStorageOutbox(storage, { name: 'ada' }),
      asyncStorageOutbox(storage, { name: 'ada' }),
      asyncStorageOutbox(storage, { name: 'ada:1' }),
    ];
  },
  'Web Storage': () => {
    const storage = textStorage();
    return [
      webStorageOutbox(storage, { name: 'ada' }),
      webStorageOutbox(storage, { name: 'ada' }),
      webStorageOutbox(storage, { name: 'ada:1' }),
    ];
  },
};

describe.each(Object.entries(kinds))('an outbox in %s', (_kind, open) => {
  test('is seen by all who have it open, and by nobody of another name', async () => {
    const [one, other, foreign] = open();
    await one.change(() => ({ keep: [entry('b', 2), entry('a', 1)] }));
    await other.change((stored) => ({ keep: [entry('c', stored.length + 1)], remove: ['a'] }));
    expect(await byPlace(one)).toEqual(['b', 'c']);
    expect(await byPlace(foreign)).toEqual([]);
  });

  test('keeps every entry that many add at once', async () => {
    const [one, other] = open();
    const add = (store: OutboxStore, id: string) => store.change((stored) => ({ keep: [entry(id, stored.length + 1)] }));
    await Promise.all(Array.from({ length: 40 }, (_, index) => add(index % 2 === 0 ? one : other, `e${index}`)));
    expect(new Set(await byPlace(one)).size).toBe(40);
    expect(new Set((await one.read()).map(({ place }) => place)).size).toBe(40);
  });

  test('changes nothing where the decision throws, and says what it threw', async () => {
    const [store] = open();
    await store.change(() => ({ keep: [entry('a', 1)] }));
    const refusal = new Error('No.');
    await expect(
      store.change(() => {
        throw refusal;
      }),
    ).rejects.toBe(refusal);
    expect(await byPlace(store)).toEqual(['a']);
  });

  test('carries commands over a reload', async () => {
    const server = await takingServer();
    const [one, other] = open();
    const gate = handGate(false);
    const before = openOutbox(server.baseUrl, { store: one, gate });
    const { id } = await before.start({ taskType: 'report', clientRequestId: 'one' });
    await before.close();
    gate.set(true);
    const after = openOutbox(server.baseUrl, { store: other, gate });
    expect(await after.settled(id)).toMatchObject({ state: 'done' });
    expect(server.met).toHaveLength(1);
  });

  test('leaves entries of a newer version, and what it cannot read, alone', async () => {
    const server = await takingServer();
    const [store] = open();
    await store.change(() => ({
      keep: [
        { v: 2, id: 'newer', place: 7 },
        { v: 1, id: 'odd', place: 1 },
      ],
    }));
    const outbox = openOutbox(server.baseUrl, { store, limits: { outcomesMax: 0 } });
    const ticket = await outbox.start({ taskType: 'report' });
    await until(outbox, ({ state, pending }) => state === 'idle' && pending === 0);
    await outbox.dismiss();
    expect(await ticket.settled()).toEqual({ state: 'forgotten' });
    expect([...(await byPlace(store))].sort()).toEqual(['newer', 'odd']);
    expect(outbox.getSnapshot().entries).toEqual([]);
  });
});

describe('attachments', () => {
  const bytes = new Uint8Array([1, 2, 3]);

  test('are kept as bytes and blobs in IndexedDB, and sent', async () => {
    const server = await takingServer();
    const bodies: string[] = [];
    server.script.command = (_path, body) => {
      bodies.push(body);
      return [201, { taskId: 't', status: 'ACCEPTED', deduplicated: false }];
    };
    const database = `outbox-${++stores}`;
    const gate = handGate(false);
    const before = openOutbox(server.baseUrl, { store: indexedDbOutbox({ name: 'ada', database }), gate });
    const given = new TextEncoder().encode('the first file');
    const attachments = [
      { fileName: 'a.txt', content: given },
      { fileName: 'b.txt', contentType: 'text/plain', content: new Blob(['the second file']) },
    ];
    await before.start({ taskType: 'report', attachments });
    given.fill(0);
    await before.close();
    gate.set(true);
    const after = openOutbox(server.baseUrl, { store: indexedDbOutbox({ name: 'ada', database }), gate });
    await until(after, ({ state }) => state === 'idle');
    expect(bodies).toHaveLength(1);
    for (const part of ['the first file', 'the second file', 'a.txt', 'b.txt', 'text/plain']) expect(bodies[0]).toContain(part);
  });

  test('are refused where they cannot be kept', async () => {
    const server = await takingServer();
    const gate = handGate(false);
    const text = openOutbox(server.baseUrl, { store: webStorageOutbox(textStorage(), { name: 'ada' }), gate });
    const memory = openOutbox(server.baseUrl, { store: memoryOutbox('ada'), gate });
    const start = (outbox: typeof text, content: never) => outbox.start({ taskType: 'report', attachments: [{ fileName: 'a', content }] });
    await expect(start(text, bytes as never)).rejects.toThrowError(/text only/);
    for (const content of [new Blob(['x']).stream(), () => new Blob(['x']).stream()])
      await expect(start(memory, content as never)).rejects.toThrowError(/stream/);
    expect(memory.getSnapshot().entries).toEqual([]);
  });
});

describe('a store that fails', () => {
  test('tells the caller that it is full', async () => {
    const server = await takingServer();
    const outbox = openOutbox(server.baseUrl, { store: webStorageOutbox(textStorage(400), { name: 'ada' }), gate: handGate(false) });
    await outbox.start({ taskType: 'report' });
    await expect(outbox.start({ taskType: 'report', input: { text: 'x'.repeat(400) } })).rejects.toMatchObject({
      code: 'OUTBOX_STORE_FAILED',
      cause: { name: 'QuotaExceededError' },
    });
    expect(outbox.getSnapshot().pending).toBe(1);
  });

  test('is tried again', async () => {
    const server = await takingServer();
    const store = memoryOutbox('ada');
    let failures = 3;
    const failing: OutboxStore = { ...store, read: () => (failures-- > 0 ? Promise.reject(new Error('Gone.')) : store.read()) };
    const outbox = openOutbox(server.baseUrl, { store: failing });
    const { error } = await until(outbox, ({ state }) => state === 'resting');
    expect(error).toMatchObject({ code: 'OUTBOX_STORE_FAILED' });
    await until(outbox, ({ state }) => state === 'idle');
    expect(outbox.getSnapshot().error).toBeUndefined();
  });

  test('lets go of a database that another page deletes, and opens it anew', async () => {
    const database = `outbox-${++stores}`;
    const store = indexedDbOutbox({ name: 'ada', database });
    await store.change(() => ({ keep: [entry('a', 1)] }));
    await new Promise((resolve, reject) => {
      const deletion = indexedDB.deleteDatabase(database);
      deletion.onsuccess = resolve;
      deletion.onblocked = reject;
    });
    expect(await store.read()).toEqual([]);
    await store.change(() => ({ keep: [entry('b', 2)] }));
    expect(await store.read()).toEqual([entry('b', 2)]);
  });

  test('has each entry under a key of its own', async () => {
    const database = `outbox-${++stores}`;
    const store = indexedDbOutbox({ name: 'ada', database });
    await store.change(() => ({ keep: [entry('a', 1)] }));
    expect(await get(['ada', 'a'], createStore(database, 'entries'))).toEqual(entry('a', 1));
  });
});
