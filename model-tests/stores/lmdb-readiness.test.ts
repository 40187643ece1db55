import { open } from 'lmdb';
import { expect, onTestFinished, test } from 'vitest';
import { inProcess } from '../../adapters/in-process/index.ts';
import { lmdbStore } from '../../adapters/lmdb/index.ts';
import { bridgeOf } from '../server/bridge-of.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { startChildOnSmallDisk } from './children/child.ts';

const notReady = { status: 'not_ready', details: { store: { status: 'not_ready', name: 'lmdb', writes: 'failing' } } };

test('a host whose disk is full says 503, and that it takes no writes', async () => {
  const { path, remove } = await tempFolder('full');
  onTestFinished(remove);
  const child = startChildOnSmallDisk(2000, 'hosts', path);
  onTestFinished(async () => void (await child.killHard()));
  const url = `http://127.0.0.1:${await child.nextLine()}`;
  expect((await fetch(`${url}/ready`)).status).toBe(200);
  const headers = { 'content-type': 'application/json' };
  let status = 201;
  for (let request = 0; status === 201; request++) {
    const body = JSON.stringify({ clientRequestId: `${request}`, taskType: 'keep', input: { text: 'x'.repeat(100_000) } });
    ({ status } = await fetch(`${url}/api/v1/tasks`, { method: 'POST', headers, body }));
  }
  expect(status).toBe(503);
  const ready = await fetch(`${url}/ready`);
  expect([ready.status, await ready.json()]).toEqual([503, notReady]);
});

test('a host whose store was taken over says 503 for as long as it is so, though nobody writes', async () => {
  const { path, remove } = await tempFolder('lost');
  onTestFinished(remove);
  const { url } = await bridgeOf(inProcess({ keep: async () => 'kept' }), { store: lmdbStore({ path }) });
  const ready = async () => (await fetch(`${url}/ready`)).status;
  expect(await ready()).toBe(200);
  // The owner's row is the adapter's own business; this stands in for another process.
  const rows = open<Buffer>({ path, noSubdir: false, encoding: 'binary', overlappingSync: false });
  const owner = rows.get(['o']);
  await rows.put(['o'], Buffer.from(JSON.stringify({ ...(JSON.parse(String(owner)) as object), pid: 4711 })));
  expect(await ready()).toBe(503);
  if (owner) await rows.put(['o'], owner);
  await rows.close();
  expect(await ready()).toBe(200);
});
