import { expect } from 'vitest';
import { sharedStreams } from 'taskbridge/client/streams';

type Request = Parameters<ReturnType<typeof sharedStreams>['run']>[0];

export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Tasks on streams whose other ends are the test. */
export interface StreamFixture {
  come(...taskIds: string[]): void;
  /** It needs no stream any more. */
  leave(...taskIds: string[]): void;
  /** How far a task has come. */
  reach(taskId: string, cursor: string): void;
  /** The server answers the nth request with a status. */
  refuse(nth: number, status: number): void;
  /** … with a stream that shows many tasks. */
  grant(nth: number): void;
  /** … with a stream, and this for its first frame. */
  begin(nth: number, frame: object): void;
  say(nth: number, ...frames: (object | string)[]): void;
  /** The body of the nth ends. */
  end(nth: number): void;
  /** Which sets were asked for, what each task heard since it was last asked, which streams are open, and how many places are taken. */
  happened(): Promise<Record<string, unknown>>;
}

interface FakeStream {
  readonly set: string;
  readonly signal: AbortSignal;
  answer(response: Response): void;
  body: ReadableStreamDefaultController<Uint8Array> | undefined;
  isOver: boolean;
}

const event = (frame: object | string): Uint8Array =>
  new TextEncoder().encode(frame === ':' ? ': beat\n\n' : `data: ${typeof frame === 'string' ? frame : JSON.stringify(frame)}\n\n`);
export const GRANT = { type: 'EXTENSIONS_GRANTED', extensions: ['gap', 'multiplex'] };

export function streamFixture({ places = 4, polls = true }: { readonly places?: number; readonly polls?: boolean } = {}): StreamFixture {
  const port = sharedStreams();
  const streams: FakeStream[] = [];
  const heard = new Map<string, string[]>();
  const lives = new Map<string, AbortController>();
  const cursors = new Map<string, string>();
  let [asked, held] = [0, 0];

  const fetcher = (url: string, { signal }: { signal: AbortSignal }): Promise<Response> =>
    new Promise((resolve, reject) => {
      const set = new URL(url).searchParams.get('tasks') ?? '';
      const stream: FakeStream = { set, signal, answer: resolve, body: undefined, isOver: false };
      streams.push(stream);
      signal.addEventListener('abort', () => {
        stream.isOver = true;
        reject(new Error('aborted'));
        stream.body?.error(new Error('aborted'));
      });
    });

  function requestOf(taskId: string): Request {
    const notes: string[] = [];
    heard.set(taskId, notes);
    const life = new AbortController();
    lives.set(taskId, life);
    let isClosed = false;
    const request = {
      taskId,
      context: undefined,
      extensions: 'gap',
      authorization: { headers: {} },
      signal: life.signal,
      alone: async () => void notes.push('alone'),
      settings: {
        baseUrl: 'http://host',
        routes: { sharedStream: () => '/streams' },
        fetch: fetcher,
        limits: { frameBytesMax: 10_000, retryAfterMaxMs: 1000 },
        origin: { hasSpoken: true },
        clock: { now: () => 0 },
        tries: { ws: 0, sse: 3, poll: polls ? 1 : 0 },
        held: {
          async take() {
            if (held >= places) return undefined;
            held += 1;
            return () => void (held -= 1);
          },
        },
      },
      connection: {
        get cursor() {
          return cursors.get(taskId) ?? null;
        },
        get isClosed() {
          return isClosed;
        },
        confirmed: () => void notes.push('confirmed'),
        frame: (text: string) => void notes.push(text.startsWith('{') ? (JSON.parse(text) as { type: string }).type : text),
        alive: () => void notes.push('alive'),
        flush: () => undefined,
        lost(_reason: string, ending: { kind: string; status?: number; closeCode?: number } = { kind: 'lost' }) {
          isClosed = true;
          notes.push([ending.kind, ending.status ?? ending.closeCode].filter(Boolean).join(' '));
        },
      },
    };
    // As much of it as a stream needs.
    return request as unknown as Request;
  }

  function nth(index: number): FakeStream {
    const found = streams[index];
    if (!found) throw new Error(`Only ${streams.length} streams were asked for.`);
    return found;
  }

  return {
    come: (...taskIds) => taskIds.forEach((taskId) => void port.run(requestOf(taskId))),
    leave: (...taskIds) => taskIds.forEach((taskId) => lives.get(taskId)?.abort()),
    reach: (taskId, cursor) => void cursors.set(taskId, cursor),
    refuse(index, status) {
      nth(index).isOver = true;
      nth(index).answer(new Response('{}', { status }));
    },
    grant(index) {
      this.begin(index, GRANT);
    },
    begin(index, frame) {
      const body = new ReadableStream<Uint8Array>({ start: (controller) => void (nth(index).body = controller) });
      nth(index).answer(new Response(body));
      nth(index).body?.enqueue(event(frame));
    },
    say: (index, ...frames) => frames.forEach((frame) => nth(index).body?.enqueue(event(frame))),
    end(index) {
      nth(index).isOver = true;
      nth(index).body?.close();
    },
    async happened() {
      for (let i = 0; i < 4; i += 1) await turn();
      const news = streams.slice(asked).map(({ set }) => set);
      asked = streams.length;
      const open = streams.flatMap(({ isOver }, index) => (isOver ? [] : [index]));
      const told = [...heard].flatMap(([taskId, notes]) => (notes.length > 0 ? [[taskId, notes.splice(0)] as const] : []));
      return {
        ...(news.length > 0 && { asked: news }),
        ...Object.fromEntries(told),
        ...(open.length > 0 && { open }),
        ...(held > 0 && { held }),
      };
    },
  };
}

/** One step of a test. */
export type Act = (fixture: StreamFixture) => unknown;

/** What has to happen on one event in one phase of the tasks on a stream. */
export interface StreamRow {
  readonly name: string;
  readonly arrange: Act;
  readonly act: Act;
  readonly then: Readonly<Record<string, unknown>>;
}

export async function tryStreamRow({ act, then }: StreamRow, fixture: StreamFixture): Promise<void> {
  await act(fixture);
  expect(await fixture.happened()).toEqual(then);
}

export const come =
  (...taskIds: string[]): Act =>
  (fixture) =>
    fixture.come(...taskIds);
export const leave =
  (...taskIds: string[]): Act =>
  (fixture) =>
    fixture.leave(...taskIds);
export const grant =
  (nth: number): Act =>
  (fixture) =>
    fixture.grant(nth);
export const refuse =
  (nth: number, status: number): Act =>
  (fixture) =>
    fixture.refuse(nth, status);
export const end =
  (nth: number): Act =>
  (fixture) =>
    fixture.end(nth);
/** One after the other, each having had its effects. */
export const each =
  (...acts: Act[]): Act =>
  async (fixture) => {
    for (const act of acts) {
      await act(fixture);
      for (let i = 0; i < 4; i += 1) await turn();
    }
  };
