import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { WebSocket } from 'ws';
import { holds, same } from '../suite/claim.ts';
import { within } from '../suite/run.ts';
import { transcriptWriter, type TranscriptWriter } from '../suite/transcript.ts';
import { idsOf, endsLog, log, patienceOf, refused, type CallOptions, type WireFact } from './calls.ts';
import type { ServerUnderTest } from './server-under-test.ts';

/** Anything that came over a stream: a fact, or a control frame. */
export type Frame = Partial<WireFact> & { readonly type: string; readonly [name: string]: unknown };

/** How a stream came to its end. */
export interface StreamEnd {
  /** `ended`: properly, as its protocol has it. `cut`: not. `refused`: it never began. */
  readonly how: 'ended' | 'cut' | 'refused';
  /** The close code of a WebSocket, the HTTP status of a refusal. */
  readonly code?: number;
  /** What a refusal said. */
  readonly body?: string;
  readonly headers?: Headers;
}

/** A stream that is being read. */
export interface Stream {
  readonly frames: readonly Frame[];
  /** The facts among the frames. */
  readonly facts: readonly WireFact[];
  /** The SSE messages as they came, with their ids. */
  readonly messages: readonly EventSourceMessage[];
  readonly headers: Headers | undefined;
  readonly end: Promise<StreamEnd>;
  /** The first frame that is wanted; rejects when none comes within the server's patience. */
  until(wanted: (frame: Frame) => boolean, what: string): Promise<Frame>;
  close(): void;
}

/** A WebSocket that is being read. */
export interface SocketStream extends Stream {
  /** The subprotocol that was selected; empty for none, and before the socket is open. */
  readonly protocol: string;
  /** Sends a frame once the socket is open: text as it stands, bytes as a binary frame, all else as JSON. */
  send(frame: object | string | Buffer): void;
}

/** How a stream differs from the usual one. */
export interface StreamOptions extends Pick<CallOptions, 'as' | 'via' | 'headers'> {
  /** Absent: no cursor is sent. */
  readonly after?: string;
  /** The query, with its question mark. */
  readonly query?: string;
  /** The subprotocols that a WebSocket offers. */
  readonly protocols?: readonly string[];
}

/** The transports that deliver without being asked again. */
export type Live = 'ws' | 'sse';
export const lives: readonly Live[] = ['ws', 'sse'];

export const isFactFrame = (frame: Frame): frame is Frame & WireFact => frame.type.startsWith('TASK_');

/** Opens a stream of a task. */
export function stream(kind: Live, server: ServerUnderTest, taskId: string, options: StreamOptions = {}): Stream {
  return kind === 'ws'
    ? webSocket(server, [{ action: 'subscribe', taskId, lastEventId: options.after }], options)
    : sse(server, taskId, options);
}

/** Opens a WebSocket and sends these frames once it is open. */
export function webSocket(server: ServerUnderTest, sent: readonly (object | string | Buffer)[], options: StreamOptions = {}): SocketStream {
  const { baseUrl, prefix = '/api/v1', credentials } = server;
  const { as = 'one', via = baseUrl, query = '', protocols = [] } = options;
  const note = transcriptWriter();
  const book = notes(patienceOf(server), 'WebSocket', note);
  const path = `${prefix}/tasks/ws${query}`;
  note(
    `→ upgrade ${path}${as === 'one' ? '' : ` as ${as}`}${options.headers ? ` ${JSON.stringify(options.headers)}` : ''} ${protocols.join(', ')}`,
  );
  const socket = new WebSocket(via.replace('http', 'ws') + path, [...protocols], {
    headers: { ...(as !== 'nobody' && credentials(as)), ...options.headers },
    perMessageDeflate: false,
  });
  const waiting = [...sent];
  const send = (frame: object | string | Buffer): void => {
    if (socket.readyState === socket.CONNECTING) return void waiting.push(frame);
    const data = Buffer.isBuffer(frame) || typeof frame === 'string' ? frame : JSON.stringify(frame);
    note(`→ WebSocket ${Buffer.isBuffer(data) ? `(${data.length} bytes, binary)` : data}`);
    socket.send(data);
  };
  socket.on('open', () => waiting.splice(0).forEach(send));
  // A Buffer, as `ws` hands every message over unless told otherwise.
  socket.on('message', (data) => book.text((data as Buffer).toString()));
  socket.on('unexpected-response', (request, response) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('close', () => {
      const { statusCode = 0 } = response;
      const headers = Object.entries(response.headers).map(([name, value]): [string, string] => [name, String(value)]);
      book.finish({ how: 'refused', code: statusCode, body: Buffer.concat(chunks).toString(), headers: new Headers(headers) });
      request.destroy();
    });
  });
  socket.on('close', (code) => book.finish({ how: code === 1006 ? 'cut' : 'ended', code }));
  socket.on('error', (error) => note(`✗ WebSocket: ${error.message}`));
  const opened = Object.assign(
    book.stream(() => socket.terminate()),
    { send, protocol: '' },
  );
  return Object.defineProperty(opened, 'protocol', { get: () => socket.protocol });
}

/** Throws unless the stream was refused before it began, by this in the common envelope. Gives the headers of the refusal. */
export async function refusedStream({ end, frames }: Stream, status: number, code: string): Promise<{ readonly headers: Headers }> {
  const { how, code: answered, body = '', headers = new Headers() } = await end;
  same([how, answered, frames], ['refused', status, []], 'how, with which status and after which frames the stream was refused');
  let envelope: unknown = body;
  try {
    envelope = JSON.parse(body);
  } catch {
    // What it is, is what the next line says.
  }
  refused({ status, headers, body: envelope }, status, code);
  return { headers };
}

function sse(server: ServerUnderTest, taskId: string, options: StreamOptions): Stream {
  return eventStream(server, `/tasks/${taskId}/events/stream${options.query ?? ''}`, options);
}

/** Opens one event stream of these tasks, each from its cursor; `''` for the start. */
export function sharedStream(
  server: ServerUnderTest,
  tasks: Readonly<Record<string, string>>,
  options: Pick<StreamOptions, 'as'> = {},
): Stream {
  const set = Object.entries(tasks).map(([taskId, cursor]) => `${taskId}@${cursor}`);
  return eventStream(
    server,
    `/tasks/events/stream?${new URLSearchParams({ extensions: 'gap', tasks: set.join(',') }).toString()}`,
    options,
  );
}

function eventStream(server: ServerUnderTest, route: string, { as = 'one', via, after, headers }: StreamOptions): Stream {
  const { baseUrl, prefix = '/api/v1', credentials } = server;
  const note = transcriptWriter();
  const book = notes(patienceOf(server), 'event stream', note);
  const stopping = new AbortController();
  const path = `${prefix}${route}`;
  const parser = createParser({
    onEvent(message) {
      book.messages.push(message);
      book.text(message.data, message.id);
    },
  });
  const own = { ...(after !== undefined && { 'last-event-id': after }), ...headers };
  note(`→ GET ${path}${as === 'one' ? '' : ` as ${as}`} ${JSON.stringify(own)}`);
  const read = async (): Promise<StreamEnd> => {
    const response = await fetch((via ?? baseUrl) + path, {
      headers: { ...(as !== 'nobody' && credentials(as)), ...own },
      signal: stopping.signal,
    });
    book.headers = response.headers;
    if (response.status !== 200) return { how: 'refused', code: response.status, body: await response.text(), headers: response.headers };
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) parser.feed(decoder.decode(chunk as Uint8Array, { stream: true }));
    return { how: 'ended' };
  };
  read().then(book.finish, () => book.finish({ how: 'cut' }));
  return book.stream(() => stopping.abort());
}

function notes(patienceMs: number, what: string, takeDown: TranscriptWriter) {
  const frames: Frame[] = [];
  const messages: EventSourceMessage[] = [];
  let wake = (): void => undefined;
  let news = new Promise<void>((resolve) => (wake = resolve));
  let ending: StreamEnd | undefined;
  let finish: (end: StreamEnd) => void = () => undefined;
  const end = new Promise<StreamEnd>((resolve) => (finish = resolve));
  const ring = (): void => {
    wake();
    news = new Promise((resolve) => (wake = resolve));
  };
  const book = {
    messages,
    headers: undefined as Headers | undefined,
    text(data: string, id?: string) {
      takeDown(`← ${what} ${id === undefined ? '' : `id: ${id} `}${data}`);
      // What is no JSON is a frame of a type that no case waits for.
      frames.push(parsed(data) ?? { type: `(no JSON: ${data})` });
      ring();
    },
    finish(how: StreamEnd) {
      takeDown(`← ${what} over: ${how.how}${how.code === undefined ? '' : ` ${how.code}`}${how.body === undefined ? '' : ` ${how.body}`}`);
      ending ??= how;
      finish(how);
      ring();
    },
    stream: (close: () => void): Stream => ({
      frames,
      get facts() {
        return frames.filter(isFactFrame);
      },
      messages,
      get headers() {
        return book.headers;
      },
      end,
      async until(wanted, about) {
        const look = async (): Promise<Frame> => {
          for (;;) {
            const found = frames.find(wanted);
            if (found) return found;
            holds(!ending, `${about} was to come, and the ${what} is over: ${JSON.stringify(ending)}`);
            await news;
          }
        };
        return within(patienceMs, look(), `${about} over the ${what}`);
      },
      close,
    }),
  };
  return book;
}

function parsed(text: string): Frame | undefined {
  try {
    return JSON.parse(text) as Frame;
  } catch {
    return undefined;
  }
}

/** All facts of a stream up to and with the terminal one; the stream is closed then. */
export async function told(opened: Stream): Promise<WireFact[]> {
  try {
    await opened.until(endsLog, 'the terminal fact');
    return [...opened.facts];
  } finally {
    opened.close();
  }
}

/** What a transport delivers after a cursor, up to the end of the log. */
export async function delivered(
  kind: Live | 'poll',
  server: ServerUnderTest,
  taskId: string,
  options: StreamOptions = {},
): Promise<WireFact[]> {
  if (kind === 'poll') return log(server, taskId, options.after ?? '');
  return told(stream(kind, server, taskId, options));
}

/** The facts as one run: no id twice, each after the one before. */
export function isOneRun(facts: readonly WireFact[], what: string): void {
  const ids = idsOf(facts);
  holds(new Set(ids).size === ids.length, `${what}: an id came twice among ${ids.join(' ')}`);
  const keys = ids.map((id) => id.split('-').map(Number));
  const fault = keys.findIndex(([a = 0, b = 0], i) => {
    const [c = 0, d = 0] = keys[i - 1] ?? [-1, -1];
    return a < c || (a === c && b <= d);
  });
  holds(fault < 0, `${what}: the id ${ids[fault]} came after ${ids[fault - 1]}`);
}
