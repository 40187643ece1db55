import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createSilentPeers } from '../../server/http/sse/index.ts';
import { connectionName, readUnacknowledged } from '../../server/http/sse/tcp-table.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { quiesce } from './hub-fixture.ts';

/** The server's end of a real connection. */
async function accepted(host: string): Promise<{ readonly theirs: Socket; readonly ours: Socket }> {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  const ours = connect((server.address() as AddressInfo).port, host === '::' ? '127.0.0.1' : host);
  const [theirs] = (await once(server, 'connection')) as [Socket];
  onTestFinished(() => {
    ours.destroy();
    theirs.destroy();
    server.close();
  });
  return { theirs, ours };
}

test.skipIf(process.platform !== 'linux')('finds connections of each address family in the tables of Linux', async () => {
  const { theirs: four } = await accepted('127.0.0.1');
  const { theirs: six } = await accepted('::1');
  const { theirs: mapped } = await accepted('::');
  expect(mapped.remoteAddress).toBe('::ffff:127.0.0.1');
  const tables = await Promise.all([readFile('/proc/net/tcp', 'latin1'), readFile('/proc/net/tcp6', 'latin1')]);
  const names = [four, six, mapped].map(connectionName);
  const found = new Map<string, number>();
  for (const table of tables) await readUnacknowledged(table, new Set(names), (name, bytes) => found.set(name, bytes));
  expect(names.map((name) => found.get(name))).toEqual([0, 0, 0]);
});

test('calls a peer silent that acknowledges nothing for the whole time, and no other', async () => {
  const { theirs: dead } = await accepted('127.0.0.1');
  const { theirs: slow } = await accepted('127.0.0.1');
  const { theirs: quiet } = await accepted('127.0.0.1');
  const clock = fakeClock();
  const line = (socket: Socket, queued: number): string => {
    const port = (value = 0) => value.toString(16).toUpperCase().padStart(4, '0');
    const bytes = queued.toString(16).toUpperCase().padStart(8, '0');
    return `   1: 0100007F:${port(socket.localPort)} 0100007F:${port(socket.remotePort)} 01 ${bytes}:00000000 00:00000000 00000000     0        0 1 1`;
  };
  let queuedOfSlow = 10_000;
  let looks = 0;
  const peers = createSilentPeers({
    clock,
    stalledMs: 60_000,
    readTables: () => {
      looks++;
      queuedOfSlow -= 10;
      return Promise.resolve([[line(dead, 200), line(slow, queuedOfSlow), line(quiet, 0)].join('\n')]);
    },
  });
  const silent: string[] = [];
  peers.watch(dead, () => silent.push('dead'));
  const forget = [peers.watch(slow, () => silent.push('slow')), peers.watch(quiet, () => silent.push('quiet'))];
  for (let quarter = 1; quarter <= 5; quarter++) {
    expect(silent).toEqual([]);
    clock.advance(15_000);
    await vi.waitFor(() => expect(looks).toBe(quarter));
    await quiesce();
  }
  await vi.waitFor(() => expect(silent).toEqual(['dead']));
  clock.advance(600_000);
  await vi.waitFor(() => expect(looks).toBeGreaterThan(5));
  expect(silent).toEqual(['dead']);
  forget.forEach((end) => end());
});

test('has peers give way that were silent from one look to the next, and no other', async () => {
  const { theirs: dead } = await accepted('127.0.0.1');
  const { theirs: living } = await accepted('127.0.0.1');
  const clock = fakeClock();
  const rows = [dead, living].map((socket, nth) => {
    const [local = '', remote = ''] = connectionName(socket).split(' ');
    return `   ${nth}: ${local} ${remote} 01 0000000${nth === 0 ? 9 : 0}:00000000 00`;
  });
  const peers = createSilentPeers({ clock, stalledMs: 60_000, readTables: async () => [rows.join('\n')] });
  const silent: string[] = [];
  peers.watch(dead, () => silent.push('dead'));
  peers.watch(living, () => silent.push('living'));
  for (let looks = 0; looks < 2; looks += 1) {
    peers.giveWay();
    expect(silent).toEqual([]);
    clock.advance(15_000);
    await quiesce();
  }
  peers.giveWay();
  peers.giveWay();
  expect(silent).toEqual(['dead']);
});

test('reads a table of tens of thousands in slices, and lets others have their turn in between', async () => {
  const row = (nth: number) => `${nth}: 0100007F:${nth.toString(16).toUpperCase().padStart(4, '0')} 0100007F:0050 01 00000007:00000000 00`;
  const table = Array.from({ length: 20_000 }, (_row, nth) => row(nth)).join('\n');
  let [turns, isOver] = [0, false];
  const count = (): void => {
    turns += 1;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  const found: string[] = [];
  await readUnacknowledged(table, new Set(['0100007F:4E1F 0100007F:0050']), (name, bytes) => found.push(`${name} ${bytes}`));
  isOver = true;
  expect(found).toEqual(['0100007F:4E1F 0100007F:0050 7']);
  expect(turns).toBeGreaterThan(10);
});
