import { createServer, request, type ClientRequest, type IncomingMessage, type Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { WebSocket, type ClientOptions } from 'ws';
import { taskNotFound } from '../../server/errors.ts';
import { createLiveService } from '../../server/http/sse/index.ts';
import { streamSettings, type GivenStreamSettings } from '../../server/http/stream-settings.ts';
import { createUpgradeHandler, type UpgradeHandler, type UpgradeHandlerDeps } from '../../server/http/web-socket/index.ts';
import { createLiveHub, type LiveHub } from '../../server/live/hub.ts';
import type { LiveOptions } from '../../server/live/options.ts';
import {
  systemClock,
  type AuthContext,
  type ServerChance,
  type Clock,
  type Logger,
  type TransportDiagnosticsSink,
} from '../../server/ports/index.ts';
import type { TaskAbout } from '../../server/task/about.ts';
import { onLoopback } from '../support/loopback.ts';
import { evenChance, testStore, type TestStore } from './hub-fixture.ts';

/** A server with the live path alone, on a real port. */
export interface Host {
  readonly store: TestStore;
  readonly hub: LiveHub;
  readonly door: UpgradeHandler;
  readonly server: Server;
  readonly port: number;
  /** Its connections. */
  readonly sockets: ReadonlySet<Socket>;
  /** What `authorize` throws, where it is set. */
  fault: Error | undefined;
  readonly logged: string[];
  close(): Promise<void>;
}

export interface HostOptions {
  readonly clock?: Clock;
  readonly live?: Partial<LiveOptions>;
  readonly streams?: GivenStreamSettings;
  readonly diagnostics?: TransportDiagnosticsSink;
  readonly door?: Partial<UpgradeHandlerDeps>;
  readonly auth?: AuthContext;
  readonly chance?: ServerChance;
}

/** Closed when the test has finished. The path of an SSE stream here is `/events/<taskId>?after=…&extensions=…`. Tasks of this server are all that its store has. */
export async function liveHost({
  clock = systemClock,
  live = {},
  streams: given = {},
  diagnostics,
  door: more = {},
  auth = { subject: 'ann' },
  chance = evenChance,
}: HostOptions = {}): Promise<Host> {
  const store = await testStore();
  const logged: string[] = [];
  const logger: Logger = { warn: (message) => void logged.push(message), error: (message) => void logged.push(message) };
  const hub = createLiveHub({ store, clock, chance, options: live, logger, diagnostics });
  const settings = streamSettings(given);
  const streams = createLiveService({ hub, settings: settings.sse, clock, chance: evenChance });
  const server = createServer((req, res) => {
    const url = new URL(req.url ?? '/', 'http://host');
    const after = url.searchParams.get('after') ?? undefined;
    const extensions = url.searchParams.get('extensions') ?? undefined;
    void streams.openSse({ req, res, auth, taskId: url.pathname.split('/').at(-1) ?? '', after, extensions });
  });
  const door = createUpgradeHandler({
    path: '/api/v1/tasks/ws',
    hub,
    settings: settings.webSocket,
    clock,
    logger,
    auth: ({ headers }) => (headers.authorization === 'Bearer none' ? undefined : auth),
    service: {
      forget: () => undefined,
      async authorize(_auth, taskId): Promise<TaskAbout> {
        if (host.fault) throw host.fault;
        const known = await store.load(taskId);
        if (!known) throw taskNotFound(taskId);
        return { taskId, taskType: 't', clientRequestId: 'c', owner: 'ann', contentHash: '', requestKey: '', createdAt: 0 };
      },
    },
    ...more,
  });
  server.on('upgrade', door.upgrade.bind(door));
  const { port, sockets, close } = await onLoopback(server);
  const host: Host = {
    store,
    hub,
    door,
    server,
    port,
    sockets,
    fault: undefined,
    logged,
    async close() {
      door.close();
      await Promise.all([hub.close(), close()]);
    },
  };
  onTestFinished(() => host.close());
  return host;
}

/** What a watching client of a test saw. */
export interface Watched {
  readonly ids: string[];
  /** Frames that are no facts. */
  readonly control: { readonly type: string; readonly [key: string]: unknown }[];
  readonly closed: Promise<number | 'end' | 'cut'>;
  /** Stops and goes on reading from the network. */
  pause(): void;
  resume(): void;
  /** Resets the connection without a word. */
  reset(): void;
  /** Ends the sending half. */
  finish(): void;
}

export interface WatchedWebSocket extends Watched {
  readonly ws: WebSocket;
  /** The headers of the 101. */
  readonly opened: Promise<void>;
}

export function dial(host: Host, query = '', { protocols, ...options }: ClientOptions & { readonly protocols?: string[] } = {}): WebSocket {
  return new WebSocket(`ws://127.0.0.1:${host.port}/api/v1/tasks/ws${query}`, protocols ?? [], { perMessageDeflate: false, ...options });
}

export function watchByWebSocket(
  host: Host,
  taskId: string,
  cursor?: string | null,
  query = '',
  options: ClientOptions = {},
): WatchedWebSocket {
  const ws = dial(host, query, options);
  const ids: string[] = [];
  const control: Watched['control'] = [];
  let socket: Socket | undefined;
  ws.on('upgrade', (response) => (socket = response.socket));
  ws.on('error', () => undefined);
  ws.on('message', (data) => note(String(data as Buffer), ids, control));
  ws.on('open', () => ws.send(JSON.stringify({ action: 'subscribe', taskId, ...(cursor !== undefined && { lastEventId: cursor }) })));
  return {
    ws,
    ids,
    control,
    opened: new Promise((resolve) => ws.once('open', resolve)),
    closed: new Promise((resolve) => ws.once('close', (code) => resolve(code === 1006 ? 'cut' : code))),
    pause: () => socket?.pause(),
    resume: () => socket?.resume(),
    reset: () => socket?.resetAndDestroy(),
    finish: () => socket?.end(),
  };
}

export interface WatchedSse extends Watched {
  readonly response: Promise<IncomingMessage>;
  /** All that came, as text. */
  readonly text: string;
}

export function watchBySse(host: Host, taskId: string, cursor?: string, query = ''): WatchedSse {
  const ids: string[] = [];
  const control: Watched['control'] = [];
  let text = '';
  let rest = '';
  const call: ClientRequest = request({
    port: host.port,
    host: '127.0.0.1',
    agent: false,
    path: `/events/${taskId}?after=${cursor ?? ''}${query}`,
  });
  const response = new Promise<IncomingMessage>((resolve) => call.once('response', resolve));
  const closed = new Promise<'end' | 'cut'>((resolve) => {
    call.on('error', () => resolve('cut'));
    void response.then((incoming) => {
      incoming.setEncoding('utf8');
      incoming.on('data', (chunk: string) => {
        text += chunk;
        rest += chunk;
        const blocks = rest.split('\n\n');
        rest = blocks.pop() ?? '';
        for (const block of blocks) noteBlock(block, ids, control);
      });
      incoming.on('error', () => resolve('cut'));
      incoming.on('close', () => resolve(incoming.complete ? 'end' : 'cut'));
    });
  });
  call.end();
  return {
    ids,
    control,
    closed,
    response,
    get text() {
      return text;
    },
    pause: () => call.socket?.pause(),
    resume: () => call.socket?.resume(),
    reset: () => call.socket?.resetAndDestroy(),
    finish: () => call.socket?.end(),
  };
}

/** Sends raw bytes and collects what comes back until the server ends the connection. */
export function exchange(host: Host, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(host.port, '127.0.0.1', () => socket.write(text));
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => (answer += chunk));
    socket.on('error', reject);
    socket.on('end', () => socket.end());
    socket.on('close', () => resolve(answer));
  });
}

function noteBlock(block: string, ids: string[], control: Watched['control']): void {
  const lines = block.split('\n');
  const id = lines
    .find((line) => line.startsWith('id:'))
    ?.slice(3)
    .trim();
  const data = lines.find((line) => line.startsWith('data:'))?.slice(5) ?? '{}';
  const frame = JSON.parse(data) as { type: string; eventId: string };
  if (id === undefined) control.push(frame);
  else if (id === frame.eventId) ids.push(id);
  else throw new Error(`The id ${id} and the data ${data} differ.`);
}

function note(text: string, ids: string[], control: Watched['control']): void {
  const frame = JSON.parse(text) as { type: string; eventId: string };
  if (frame.type.startsWith('TASK_')) ids.push(frame.eventId);
  else control.push(frame);
}
