import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { WireFact } from '../server/calls.ts';
import { transcriptWriter } from '../suite/transcript.ts';
import { answerWith, rejectUpgrade, startBareServer, type Upgrade } from './bare-server.ts';
import type { ClientTransport } from './driver.ts';

/** Somebody who comes for the log. */
export interface Caller {
  readonly kind: ClientTransport;
  /** 1, 2, 3 … in the order in which they came. */
  readonly number: number;
  /** What stands in `Authorization` after `Bearer `. */
  readonly token: string | undefined;
  /** When it was seen here, by `performance.now()`. */
  readonly at: number;
}

/** A caller who was let in. A poll is answered by the first of these verbs that says something. */
export interface Visit extends Caller {
  readonly taskId: string;
  /** The cursor as it was sent, null for none. */
  readonly after: string | null;
  /** True where the client asked to be told of gaps. A poll always is. */
  readonly asksForGaps: boolean;
  /** Sends facts. */
  send(...facts: readonly WireFact[]): void;
  /** Says that the cursor cannot be gone on from. */
  gap(reason: 'trimmed' | 'reset', firstEventId: string): void;
  /** Sends a frame that is no event at all. */
  noise(text: string): void;
  /** Ends properly without a terminal fact: close 1000, the end of a body, an empty page. */
  end(): void;
  /** Closes a WebSocket with this code, without one for undefined; all else ends as `end` does. */
  close(code: number | undefined): void;
  /** Says that all is well, as a quiet stream does; a poll says nothing. */
  beat(): void;
  /** Bytes as they stand: of the body of a stream, of the whole answer to a poll; a frame on a WebSocket. */
  raw(bytes: string | Uint8Array): void;
  /** Ends as a lost network does: no Close frame, no end of a body. What was sent before arrives, however late the client reads it. */
  cut(): void;
}

/** A refusal: a status, with an envelope of this code, and what the client may do when. */
export interface ScriptedRefusal {
  readonly status: number;
  readonly code: string;
  readonly retryAfterSeconds?: number;
}

/** What the server does. */
export interface ServerScript {
  /** Lets everybody in unless it says otherwise. */
  refuse?(caller: Caller): ScriptedRefusal | undefined;
  /** Lets somebody in and then says nothing at all, not even that it has. */
  isMute?(caller: Caller): boolean;
  /** What a visitor gets. WebSockets are confirmed and streams begun before. */
  serve(visit: Visit): void;
  /** Answers `GET /tasks/{taskId}`. Without it there is no such route, as servers of the original have none. */
  snapshot?(taskId: string): [number, object];
  /** Answers a command; `cut` ends its connection instead. */
  command?(
    path: string,
    body: Readonly<Record<string, unknown>>,
    token: string | undefined,
  ): [number, object, Record<string, string>?] | 'cut';
}

/** A server that does what a script says. */
export interface ScriptedServer {
  readonly baseUrl: string;
  /** Everybody who came, refused or not. */
  readonly callers: readonly Caller[];
  readonly visits: readonly Visit[];
  close(): Promise<void>;
}

const envelope = (code: string): object => ({ code, message: code, details: {}, timestamp: '2026-01-01T00:00:00Z' });

/** Starts it on a free port of this machine. */
export async function startScriptedServer(script: ServerScript): Promise<ScriptedServer> {
  const callers: Caller[] = [];
  const visits: Visit[] = [];
  const note = transcriptWriter();

  function arrive(kind: ClientTransport, request: IncomingMessage): { caller: Caller; refusal: ScriptedRefusal | undefined } {
    const token = tokenOf(request);
    const caller = { kind, number: callers.length + 1, token, at: performance.now() };
    callers.push(caller);
    const refusal = script.refuse?.(caller);
    note(`→ ${kind} ${caller.number}: ${request.url}${token === undefined ? '' : `, token ${token}`}`);
    if (refusal) note(`← ${kind} ${caller.number}: ${JSON.stringify(refusal)}`);
    return { caller, refusal };
  }
  function welcome(visit: Visit): void {
    const told = toldBy(visit, note);
    visits.push(told);
    script.serve(told);
  }

  async function command(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const result = script.command?.(path, JSON.parse(body) as Record<string, unknown>, tokenOf(request)) ?? [404, envelope('NOT_FOUND')];
    note(`→ POST ${path} ${body}`);
    note(`← to POST ${path}: ${JSON.stringify(result)}`);
    if (result === 'cut') request.socket.resetAndDestroy();
    else answerWith(response, ...result);
  }
  async function upgraded({ request, socket, take }: Upgrade): Promise<void> {
    const { caller, refusal } = arrive('ws', request);
    if (refusal) return rejectUpgrade(socket, refusal.status, envelope(refusal.code), retryAfter(refusal));
    const { webSocket, taskId, lastEventId } = await take();
    if (script.isMute?.(caller)) return;
    const asksForGaps = asksFor(request.url);
    const say = (frame: object): void => webSocket.send(JSON.stringify(frame));
    const extensions = asksForGaps && { extensions: ['gap'] };
    say({ type: 'SUBSCRIPTION_CONFIRMED', taskId, replayStartedAfterEventId: lastEventId, live: true, ...extensions });
    welcome({
      ...caller,
      taskId,
      after: lastEventId,
      asksForGaps,
      send: (...facts) => facts.forEach(say),
      gap: (reason, firstEventId) => asksForGaps && say({ type: 'GAP', taskId, reason, firstEventId }),
      noise: (text) => webSocket.send(text),
      end: () => webSocket.close(1000),
      close: (code) => webSocket.close(code),
      beat: () => say({ type: 'HEARTBEAT', taskId, live: true }),
      raw: (bytes) => webSocket.send(bytes),
      cut: () => cut(request.socket),
    });
  }

  const { url: baseUrl, close } = await startBareServer({
    request({ kind, taskId, url, request, response }) {
      if (kind === 'post') return void command(request, response, url.pathname);
      if (kind === 'get') {
        const [status, body] = (taskId !== '' && script.snapshot?.(taskId)) || [404, envelope('NOT_FOUND')];
        note(`← ${status} to ${request.method} ${url.pathname} ${JSON.stringify(body)}`);
        return answerWith(response, status, body);
      }
      const { caller, refusal } = arrive(kind === 'shared' ? 'sse' : kind, request);
      if (refusal) return answerWith(response, refusal.status, envelope(refusal.code), retryAfter(refusal));
      if (script.isMute?.(caller)) return;
      if (kind === 'shared') return sharedVisits(caller, url, request, response).forEach(welcome);
      welcome(kind === 'sse' ? sseVisit(caller, taskId, url, request, response) : pollVisit(caller, taskId, url, response));
    },
    upgrade: (upgrade) => void upgraded(upgrade),
  });
  return { baseUrl, callers, visits, close };
}

/** The same visit, with what it says taken down. */
function toldBy(visit: Visit, note: (line: string) => void): Visit {
  const who = `${visit.kind} ${visit.number}`;
  note(`→ ${who}: after ${visit.after ?? 'nothing'}`);
  return {
    ...visit,
    send(...facts) {
      note(`← ${who}: ${facts.map(({ type, eventId }) => `${type} ${eventId}`).join(', ')}`);
      visit.send(...facts);
    },
    gap(reason, firstEventId) {
      note(`← ${who}: GAP ${reason} ${firstEventId}`);
      visit.gap(reason, firstEventId);
    },
    noise(text) {
      note(`← ${who}: ${text}`);
      visit.noise(text);
    },
    raw(bytes) {
      note(`← ${who}: ${String(bytes)}`);
      visit.raw(bytes);
    },
    end() {
      note(`← ${who}: ends it properly`);
      visit.end();
    },
    close(code) {
      note(`← ${who}: closes it with ${code}`);
      visit.close(code);
    },
    cut() {
      note(`← ${who}: cuts it`);
      visit.cut();
    },
  };
}

function sseVisit(caller: Caller, taskId: string, url: URL, request: IncomingMessage, response: ServerResponse): Visit {
  const header = request.headers['last-event-id'];
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  return streamVisit(caller, taskId, typeof header === 'string' ? header : url.searchParams.get('lastEventId'), request, response);
}

/** A visit for each task of one stream. */
function sharedVisits(caller: Caller, url: URL, request: IncomingMessage, response: ServerResponse): Visit[] {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  const write = (frame: object): void => void response.write(`data: ${JSON.stringify(frame)}\n\n`);
  write({ type: 'EXTENSIONS_GRANTED', extensions: [...(asksFor(request.url) ? ['gap'] : []), 'multiplex'] });
  const items = (url.searchParams.get('tasks') ?? '').split(',');
  return items.map((item) => {
    const at = item.lastIndexOf('@');
    const taskId = item.slice(0, at);
    return {
      ...streamVisit(caller, taskId, item.slice(at + 1) || null, request, response),
      send: (...facts) => facts.forEach(write),
      end() {
        write({ type: 'SUBSCRIPTION_ENDED', taskId, code: 1000, reason: 'The log has ended.' });
        response.end();
      },
      close: (code) => (code === undefined ? void response.end() : write({ type: 'SUBSCRIPTION_ENDED', taskId, code, reason: 'so it is' })),
    };
  });
}

function streamVisit(caller: Caller, taskId: string, after: string | null, request: IncomingMessage, response: ServerResponse): Visit {
  const asksForGaps = asksFor(request.url);
  const control = (type: string, payload: object): void =>
    void response.write(`data: ${JSON.stringify({ type, taskId, eventId: '0-0', createdAt: '2026-01-01T00:00:00Z', payload })}\n\n`);
  control('HEARTBEAT', { live: true, ...(asksForGaps && { extensions: ['gap'] }) });
  return {
    ...caller,
    taskId,
    after,
    asksForGaps,
    send: (...facts) => facts.forEach((fact) => response.write(`id: ${fact.eventId}\ndata: ${JSON.stringify(fact)}\n\n`)),
    gap: (reason, firstEventId) => asksForGaps && control('GAP', { reason, firstEventId }),
    noise: (text) => response.write(`data: ${text}\n\n`),
    end: () => response.end(),
    close: () => response.end(),
    beat() {
      response.write(': still here\n\n');
      control('HEARTBEAT', { live: true });
    },
    raw: (bytes) => response.write(bytes),
    cut: () => cut(request.socket),
  };
}

function pollVisit(caller: Caller, taskId: string, url: URL, response: ServerResponse): Visit {
  const after = url.searchParams.get('afterEventId');
  let gap: object | undefined;
  const page = (events: readonly WireFact[]): void => {
    if (response.headersSent) return;
    const nextAfterEventId = events.at(-1)?.eventId ?? after;
    answerWith(response, 200, { taskId, events, nextAfterEventId, hasMore: false, ...(gap && { gap }) });
  };
  return {
    ...caller,
    taskId,
    after,
    asksForGaps: true,
    send: (...facts) => page(facts),
    gap: (reason, firstEventId) => (gap = { reason, firstEventId }),
    noise: () => undefined,
    end: () => page([]),
    close: () => page([]),
    beat: () => undefined,
    raw: (bytes) => void response.writeHead(200, { 'content-type': 'application/json' }).end(bytes),
    cut() {
      if (!response.headersSent) response.socket?.resetAndDestroy();
    },
  };
}

function retryAfter({ retryAfterSeconds }: ScriptedRefusal): Record<string, string> {
  return retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) };
}

function asksFor(path = '/'): boolean {
  return (new URL(path, 'http://local').searchParams.get('extensions') ?? '').split(',').includes('gap');
}

/** The token of a request: a header, or a subprotocol as browsers send it. */
function tokenOf({ headers }: IncomingMessage): string | undefined {
  const offered = /bearer\.([\w-]+)/.exec(headers['sec-websocket-protocol'] ?? '')?.[1];
  return offered === undefined ? /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1] : Buffer.from(offered, 'base64url').toString();
}

/** Not by a reset, which overtakes what the other side has not read yet. */
function cut(socket: Socket): void {
  socket.destroySoon();
}
