import type { IncomingMessage, ServerResponse } from 'node:http';
import type { WebSocket } from 'ws';
import { answerWith, rejectUpgrade, startBareServer, type Arrival, type Upgrade } from '../conformance/client/bare-server.ts';

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
  const script: Script = {
    upgrade: () => undefined,
    subscribed: ({ confirm }) => confirm(),
    stream: (response) => void response.writeHead(404).end('{}'),
    poll: () => undefined,
    snapshot: () => [404, { code: 'NOT_FOUND' }],
    command: () => undefined,
  };
  const { url: baseUrl, close } = await startBareServer({
    request(arrival) {
      seen.push(arrival.kind);
      open.add(arrival.response);
      arrival.response.on('close', () => open.delete(arrival.response));
      answer(script, arrival);
    },
    upgrade(upgrade) {
      seen.push('ws');
      open.add(upgrade.socket);
      upgrade.socket.on('close', () => open.delete(upgrade.socket));
      void subscribe(script, upgrade);
    },
  });
  return { baseUrl, seen, script, open, close };
}

function answer(script: Script, { kind, url, request, response }: Arrival): void {
  const read = (result: object | [number, object] | undefined): void => {
    if (result === undefined) return;
    if (Array.isArray(result)) answerWith(response, result[0] as number, result[1] as object);
    else answerWith(response, 200, result);
  };
  if (kind === 'sse') return script.stream(response, request);
  if (kind === 'poll') return read(script.poll(url.searchParams, request));
  if (kind === 'get' || kind === 'shared') {
    if (script.lateSnapshot) return script.lateSnapshot((body) => answerWith(response, 200, body));
    return read(script.snapshot(request));
  }
  let body = '';
  request.on('data', (text) => (body += String(text)));
  request.on('end', () => {
    const result = script.command(url.pathname, body, request);
    if (result) answerWith(response, ...result);
  });
}

async function subscribe(script: Script, { request, socket, take }: Upgrade): Promise<void> {
  const refusal = typeof script.upgrade === 'function' ? script.upgrade(request) : script.upgrade;
  if (refusal !== undefined) return rejectUpgrade(socket, ...(Array.isArray(refusal) ? refusal : ([refusal, {}] as const)));
  const { webSocket, lastEventId } = await take();
  const send = (...frames: readonly object[]): void => frames.forEach((frame) => webSocket.send(JSON.stringify(frame)));
  script.subscribed({
    socket: webSocket,
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
    cut: () => webSocket.terminate(),
  });
}
