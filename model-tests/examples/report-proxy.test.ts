import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { startProxy, type Proxy } from '../../examples/report/proxy.ts';

let server: Server;
let proxy: Proxy;
let streams: IncomingMessage[] = [];

beforeEach(async () => {
  streams = [];
  server = createServer((request, response) => {
    if (!request.url?.endsWith('/events/stream')) {
      request.pipe(response.writeHead(200, { 'x-seen': request.headers['x-said'] ?? '' }));
      return;
    }
    streams.push(request);
    response.writeHead(200).write('data: 1\n\n');
  });
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  proxy = await startProxy(() => port);
});
afterEach(async () => {
  await proxy.close();
  server.closeAllConnections();
  server.close();
});

const open = async () => {
  const socket = new WebSocket(proxy.url.replace('http', 'ws'));
  await once(socket, 'open');
  return socket;
};
const stream = () => new Promise<IncomingMessage>((resolve, reject) => get(`${proxy.url}/t/events/stream`, resolve).on('error', reject));
const lost = (response: IncomingMessage) =>
  new Promise<string>((resolve) => response.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? '')).resume());

describe('the proxy of the demo', () => {
  it('passes requests, streams and sockets on', async () => {
    const answer = await fetch(`${proxy.url}/echo`, { method: 'POST', body: 'hello', headers: { 'x-said': 'yes' } });
    expect([answer.headers.get('x-seen'), await answer.text()]).toEqual(['yes', 'hello']);
    const socket = await open();
    socket.send('ping');
    expect(String((await once(socket, 'message'))[0])).toBe('ping');
    const [data] = (await once(await stream(), 'data')) as [Buffer];
    expect(String(data)).toBe('data: 1\n\n');
    socket.terminate();
  });

  it('resets every connection when it cuts', async () => {
    const socket = await open();
    const response = await stream();
    const ends = [once(socket, 'close').then(([code]) => code as number), lost(response)];
    expect(proxy.cut()).toBe(2);
    expect(await Promise.all(ends)).toEqual([1006, 'ECONNRESET']);
  });

  it('refuses upgrades and keeps streams, and the other way round', async () => {
    const socket = await open();
    const closed = once(socket, 'close');
    const response = await stream();
    proxy.obstruct({ webSocket: 'refused' });
    expect((await closed)[0]).toBe(1006);
    await expect(open()).rejects.toThrow('502');
    const gone = lost(response);
    proxy.obstruct({ webSocket: 'open', sse: 'refused' });
    expect(await gone).toBe('ECONNRESET');
    expect((await stream()).statusCode).toBe(502);
    (await open()).terminate();
  });

  it('holds a stream back without a byte', async () => {
    proxy.obstruct({ sse: 'held' });
    const request = get(`${proxy.url}/t/events/stream`);
    const answered = once(request, 'response').then(
      () => 'answered',
      () => 'never',
    );
    await expect.poll(() => streams.length).toBe(1);
    proxy.cut();
    expect(await answered).toBe('never');
  });

  it('resets connections when the server is not there', async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
    await expect(fetch(`${proxy.url}/echo`)).rejects.toThrow();
    await expect(open()).rejects.toThrow();
  });
});
