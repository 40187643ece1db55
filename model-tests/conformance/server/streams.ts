import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { WebSocket } from 'ws';
import { holds } from '../suite/claim.ts';
import { within } from '../suite/run.ts';
import { idsOf, isTerminal, log, patienceOf, type CallOptions, type WireFact } from './calls.ts';
import type { ServerUnderTest } from './world.ts';

/** Anything that came over a stream: a fact, or a control frame. */
export type Frame = Partial<WireFact> & { readonly type: string; readonly [name: string]: unknown };

/** How a stream came to its end. */
export interface StreamEnd {
  /** `ended`: properly, as its protocol has it. `cut`: not. `refused`: it never began. */
  readonly how: 'ended' | 'cut' | 'refused';
  /** The close code of a WebSocket, the HTTP status of a refusal. */
  readonly code?: number;
  readonly body?: string;
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

/** How a stream differs from the usual one. */
export interface StreamOptions extends Pick<CallOptions, 'as' | 'via' | 'headers'> {
  /** Absent: no cursor is sent. */
  readonly after?: string;
  /** The query, with its question mark. */
  readonly query?: string;
}

/** The transports that deliver without being asked again. */
export type Live = 'ws' | 'sse';
export const lives: readonly Live[] = ['ws', 'sse'];

export const isFact = (frame: Frame): frame is Frame & WireFact => frame.type.startsWith('TASK_');

/** Opens a stream of a task. */
export function stream(kind: Live, server: ServerUnderTest, taskId: string, options: StreamOptions = {}): Stream {
  return kind === 'ws'
    ? webSocket(server, [{ action: 'subscribe', taskId, lastEventId: options.after }], options)
    : sse(server, taskId, options);
}

/** Opens a WebSocket and sends these frames; text as it stands, bytes as a binary frame. */
export function webSocket(server: ServerUnderTest, sent: readonly (object | string | Buffer)[], options: StreamOptions = {}): Stream {
  const { baseUrl, prefix = '/api/v1', credentials } = server;
  const { as = 'one', via = baseUrl, query = '', headers } = options;
  const book = notes(patienceOf(server));
  const socket = new WebSocket(`${via.replace('http', 'ws')}${prefix}/tasks/ws${query}`, {
    headers: { ...(as !== 'nobody' && credentials(as)), ...headers },
    perMessageDeflate: false,
  });
  socket.on('open', () => {
    for (const frame of sent) socket.send(Buffer.isBuffer(frame) || typeof frame === 'string' ? frame : JSON.stringify(frame));
  });
  // A Buffer, as `ws` hands every message over unless told otherwise.
  socket.on('message', (data) => book.note(JSON.parse((data as Buffer).toString()) as Frame));
  socket.on('unexpected-response', (request, response) => {
    book.finish({ how: 'refused', code: response.statusCode ?? 0 });
    response.resume();
    request.destroy();
  });
  socket.on('close', (code) => book.finish({ how: code === 1006 ? 'cut' : 'ended', code }));
  socket.on('error', () => undefined);
  return book.stream(() => socket.terminate());
}

function sse(server: ServerUnderTest, taskId: string, { as = 'one', via, after, query = '', headers }: StreamOptions): Stream {
  const { baseUrl, prefix = '/api/v1', credentials } = server;
  const book = notes(patienceOf(server));
  const stopping = new AbortController();
  const parser = createParser({
    onEvent(message) {
      book.messages.push(message);
      book.note(JSON.parse(message.data) as Frame);
    },
  });
  const read = async (): Promise<StreamEnd> => {
    const response = await fetch(`${via ?? baseUrl}${prefix}/tasks/${taskId}/events/stream${query}`, {
      headers: { ...(as !== 'nobody' && credentials(as)), ...(after !== undefined && { 'last-event-id': after }), ...headers },
      signal: stopping.signal,
    });
    book.headers = response.headers;
    if (response.status !== 200) return { how: 'refused', code: response.status, body: await response.text() };
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) parser.feed(decoder.decode(chunk as Uint8Array, { stream: true }));
    return { how: 'ended' };
  };
  read().then(book.finish, () => book.finish({ how: 'cut' }));
  return book.stream(() => stopping.abort());
}

function notes(patienceMs: number) {
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
    note(frame: Frame) {
      frames.push(frame);
      ring();
    },
    finish(how: StreamEnd) {
      ending ??= how;
      finish(how);
      ring();
    },
    stream: (close: () => void): Stream => ({
      frames,
      get facts() {
        return frames.filter(isFact);
      },
      messages,
      get headers() {
        return book.headers;
      },
      end,
      async until(wanted, what) {
        const look = async (): Promise<Frame> => {
          for (;;) {
            const found = frames.find(wanted);
            if (found) return found;
            holds(!ending, `${what} was to come, and the stream is over: ${JSON.stringify(ending)}`);
            await news;
          }
        };
        return within(patienceMs, look(), what);
      },
      close,
    }),
  };
  return book;
}

/** All facts of a stream up to and with the terminal one; the stream is closed then. */
export async function told(opened: Stream): Promise<WireFact[]> {
  try {
    await opened.until(isTerminal, 'the terminal fact');
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
