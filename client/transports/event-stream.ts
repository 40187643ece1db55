import type { Authorization, CallContext } from '../auth/credentials.ts';
import { readText, refusedBy, thrownBy } from '../commands/answer.ts';
import type { ConnectionInput, DecodedEnding } from '../observation/frame-decoder.ts';
import type { ClientSettings } from '../options.ts';
import { createEventParser } from './event-parser.ts';

const REFUSAL_BYTES_MAX = 64 * 1024;

/** What one task asks of the place where event streams come from. */
export interface EventStreamRequest {
  readonly taskId: string;
  readonly context: CallContext | undefined;
  /** For the query. */
  readonly extensions: string;
  readonly settings: ClientSettings;
  readonly connection: ConnectionInput;
  readonly authorization: Authorization;
  /** Aborts when the task needs no stream any more. */
  readonly signal: AbortSignal;
  /** Reads a stream of the task's own. Never rejects. */
  readonly alone: () => Promise<void>;
}

/** Where event streams come from that are not each task's own: `sharedStreams()` of `taskbridge/client/streams`. */
export interface EventStreamPort {
  /** Tells the connection what comes for its task, until the signal aborts. Never rejects; throws where a route of the host is none. */
  run(request: EventStreamRequest): Promise<void>;
}

/** What a stream is read with. */
export interface EventStreamRunDeps {
  readonly url: string;
  readonly settings: ClientSettings;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** Told what a stream brings. */
export interface EventSink {
  /** True where nobody reads on. */
  readonly isClosed: boolean;
  /** The first bytes came. */
  opened(): void;
  /** The data of one event, and whether it has no id. */
  event(data: string, isUnnumbered: boolean): void;
  comment?(): void;
  /** All of a chunk was told. */
  flush(): void;
  /** The last word. */
  lost(reason: string, ending?: DecodedEnding): void;
}

/** Reads server-sent events into the decoder until the body ends or the signal aborts. Never rejects. */
export function runEventStream(deps: EventStreamRunDeps, connection: ConnectionInput): Promise<void> {
  return readEvents(deps, {
    get isClosed() {
      return connection.isClosed;
    },
    opened: () => connection.confirmed(),
    event: (data, isUnnumbered) => connection.frame(data, isUnnumbered),
    flush() {
      connection.alive();
      connection.flush();
    },
    lost: (reason, ending) => connection.lost(reason, ending),
  });
}

/** The same for any reader. */
export async function readEvents({ url, settings, headers, signal }: EventStreamRunDeps, sink: EventSink): Promise<void> {
  try {
    const response = await settings.fetch(url, {
      headers: { accept: 'text/event-stream', ...headers },
      signal,
      credentials: settings.cookies,
      cache: 'no-store',
    });
    if (response.status === 204) return sink.lost('no content', { kind: 'ended' });
    if (!response.ok) {
      const body = await readText(response, REFUSAL_BYTES_MAX).catch(() => '');
      const refused = refusedBy(settings, response.status, body, response.headers.get('retry-after'));
      return sink.lost(`answered ${response.status}`, { kind: 'refused', ...refused });
    }
    if (!response.body) return sink.lost(...impossible('NO_BODY_STREAMS', 'This fetch has no body streams.'));
    if (/html/i.test(response.headers.get('content-type') ?? '')) {
      void response.body.cancel().catch(() => undefined);
      return sink.lost('answered with a page', { kind: 'refused', ...refusedBy(settings, response.status, '', undefined) });
    }
    await readBody(response.body, sink, settings.limits.frameBytesMax);
  } catch (error) {
    if (!signal.aborted) sink.lost(...thrownBy(settings, error));
  }
}

/** Why there can be no stream here, which leaves the transport out. */
export function impossible(code: string, message: string): [reason: string, ending: DecodedEnding] {
  return [message, { kind: 'refused', status: 501, code, message }];
}

async function readBody(body: ReadableStream<Uint8Array>, sink: EventSink, frameBytesMax: number): Promise<void> {
  let unparsedBytes = 0;
  const parse = createEventParser({
    event(data, id) {
      unparsedBytes = 0;
      sink.event(data, id === undefined);
    },
    comment: () => sink.comment?.(),
  });
  const decoder = new TextDecoder();
  const reader = body.getReader();
  let isOpen = false;
  for (;;) {
    const { done, value } = await reader.read();
    if (sink.isClosed) return void reader.cancel().catch(() => undefined);
    if (done) return sink.lost('ended', { kind: 'ended' });
    if (!isOpen) {
      isOpen = true;
      sink.opened();
    }
    unparsedBytes += value.byteLength;
    parse(decoder.decode(value, { stream: true }));
    // Closed by the decoder: what made it close may have ended the observation.
    if (sink.isClosed) return void reader.cancel().catch(() => undefined);
    if (unparsedBytes > frameBytesMax) return sink.lost(`an event above ${frameBytesMax} bytes`);
    sink.flush();
  }
}
