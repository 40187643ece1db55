import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { goneSignal } from '../../server/http/socket-end.ts';
import { eventually } from '../support/eventually.ts';

/** A server's side of a connection, and its client's. */
async function connection(): Promise<{ readonly server: Socket; readonly client: Socket }> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => sockets.push(socket));
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  await eventually(() => sockets.length === 1);
  return { server: sockets[0] as Socket, client };
}

test('all requests of a connection have one signal, which aborts when it is gone', async () => {
  const { server, client } = await connection();
  const warnings: Error[] = [];
  const warn = (warning: Error): unknown => warnings.push(warning);
  process.on('warning', warn);
  onTestFinished(() => void process.off('warning', warn));
  const signal = goneSignal(server);
  let told = 0;
  // As many as may wait at once on a connection of HTTP/2.
  for (let waiting = 0; waiting < 100; waiting += 1) goneSignal(server).addEventListener('abort', () => (told += 1));
  expect([goneSignal(server) === signal, signal.aborted]).toEqual([true, false]);
  client.destroy();
  await eventually(() => signal.aborted);
  expect([told, warnings]).toEqual([100, []]);
});

test('one of a connection that was gone before is aborted', async () => {
  const { server, client } = await connection();
  client.destroy();
  await eventually(() => server.destroyed);
  expect(goneSignal(server).aborted).toBe(true);
});
