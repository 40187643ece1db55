import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';

export const TASK = 'task-1';

/** A subscription that was taken; its connection is the script's to use. */
export interface Subscription {
  readonly socket: WebSocket;
  readonly request: IncomingMessage;
  readonly lastEventId: string | null;
  confirm(extensions?: readonly string[]): void;
  send(...frames: readonly object[]): void;
  /** Ends without a Close frame. */
  cut(): void;
}

/** What the server does; every part may be replaced while it runs. */
export interface Script {
  /** A number refuses the upgrade with that status. */
  upgrade: number | ((request: IncomingMessage) => number | [number, object] | undefined);
  subscribed: (subscription: Subscription) => void;
  stream: (response: ServerResponse, request: IncomingMessage) => void;
  poll: (query: URLSearchParams, request: IncomingMessage) => object | [number, object] | undefined;
  snapshot: (request: IncomingMessage) => object | [number, object];
  /** Answers when it likes; wins over `snapshot`. */
  lateSnapshot?: (respond: (body: object) => void) => void;
  command: (path: string, body: string, request: IncomingMessage) => [number, object, Record<string, string>?] | undefined;
}

export interface ScriptedServer {
  readonly baseUrl: string;
  /** `ws`, `sse`, `poll`, `get` or `post`, in the order in which they came. */
  readonly seen: string[];
  readonly script: Script;
  /** WebSockets, streams and waiting polls that are open now. */
  readonly open: Set<object>;
  close(): Promise<void>;
}

export const fact = (n: number, type = 'TASK_PROGRESS', payload: object = { progress: n % 100 }): object => ({
  type,
  taskId: TASK,
  eventId: `${n}-1000`,
  createdAt: '2026-01-01T00:00:00Z',
  payload,
});
export const completed = (n: number): object => fact(n, 'TASK_COMPLETED', { result: 'all' });
export const facts = (from: number, to: number): object[] => Array.from({ length: to - from + 1 }, (_, i) => fact(from + i));
export const snapshotAt = (lastEventId: string | null, state = 'running', more: object = {}): object => ({
  taskId: TASK,
  taskType: 'report',
  clientRequestId: 'r',
  status: state === 'completed' ? 'COMPLETED' : 'RUNNING',
  state,
  progress: { progress: 42 },
  suspensions: [],
  firstEventId: null,
  lastEventId,
  createdAt: '2026-01-01T00:00:00Z',
  updatedAt: '2026-01-01T00:00:00Z',
  ...more,
});

/** Writes the head and the facts of a stream, and leaves it open. */
export function writeEvents(response: ServerResponse, ...events: readonly object[]): void {
  if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write(
    ': ok\n\n' +
      events.map((event) => `${'eventId' in event ? `id: ${String(event.eventId)}\n` : ''}data: ${JSON.stringify(event)}\n\n`).join(''),
  );
}

/** A real server on loopback that does what the script says. */
export async function createScriptedServer(): Promise<ScriptedServer> {
  const seen: string[] = [];
  const open = new Set<object>();
  const connections = new Set<Socket>();
  const script: Script = {
    upgrade: () => undefined,
    subscribed: ({ confirm }) => confirm(),
    stream: (response) => void response.writeHead(404).end('{}'),
    poll: () => undefined,
    snapshot: () => [404, { code: 'NOT_FOUND' }],
    command: () => undefined,
  };
  const sockets = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => (offered.has('taskbridge.v1') ? 'taskbridge.v1' : false),
  });

  const answer = (response: ServerResponse, status: number, body: object, headers: Record<string, string> = {}): void =>
    void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
  const read = (response: ServerResponse, result: object | [number, object] | undefined): void => {
    if (result === undefined) return;
    if (Array.isArray(result)) answer(response, result[0] as number, result[1] as object);
    else answer(response, 200, result);
  };

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://local');
    open.add(response);
    response.on('close', () => open.delete(response));
    if (url.pathname.endsWith('/events/stream')) {
      seen.push('sse');
      return script.stream(response, request);
    }
    if (url.pathname.endsWith('/events')) {
      seen.push('poll');
      return read(response, script.poll(url.searchParams, request));
    }
    if (request.method === 'GET') {
      seen.push('get');
      if (script.lateSnapshot) return script.lateSnapshot((body) => answer(response, 200, body));
      return read(response, script.snapshot(request));
    }
    seen.push('post');
    let body = '';
    request.on('data', (text) => (body += String(text)));
    request.on('end', () => {
      const result = script.command(url.pathname, body, request);
      if (result) answer(response, ...result);
    });
  });
  server.on('connection', (socket) => {
    connections.add(socket);
    socket.on('close', () => connections.delete(socket));
  });
  server.on('upgrade', (request, socket, head) => {
    seen.push('ws');
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    const refusal = typeof script.upgrade === 'function' ? script.upgrade(request) : script.upgrade;
    if (refusal !== undefined) {
      const [status, body] = Array.isArray(refusal) ? refusal : [refusal, {}];
      const text = JSON.stringify(body);
      return void socket.end(`HTTP/1.1 ${status} No\r\nConnection: close\r\nContent-Length: ${text.length}\r\n\r\n${text}`);
    }
    sockets.handleUpgrade(request, socket, head, (ws) => {
      ws.on('error', () => undefined);
      // A Buffer, as `ws` hands every message over unless told otherwise.
      ws.once('message', (data) => {
        const { lastEventId = null } = JSON.parse((data as Buffer).toString()) as { lastEventId?: string | null };
        const send = (...frames: readonly object[]): void => frames.forEach((frame) => ws.send(JSON.stringify(frame)));
        script.subscribed({
          socket: ws,
          request,
          lastEventId,
          send,
          confirm: (extensions) =>
            send({
              type: 'SUBSCRIPTION_CONFIRMED',
              taskId: TASK,
              replayStartedAfterEventId: lastEventId,
              live: true,
              ...(extensions && { extensions }),
            }),
          cut: () => ws.terminate(),
        });
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    script,
    open,
    async close() {
      for (const socket of connections) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
