import { createParser } from 'eventsource-parser';
import type { Authorization } from '../auth/credentials.ts';
import { readText, refusedBy } from '../commands/answer.ts';
import type { ConnectionInput } from '../observation/frame-decoder.ts';
import type { ClientSettings } from '../options.ts';

const REFUSAL_BYTES_MAX = 64 * 1024;

/** What a stream works with. */
export interface EventStreamRunDeps {
  readonly url: string;
  readonly settings: ClientSettings;
  readonly connection: ConnectionInput;
  readonly authorization: Authorization;
  readonly signal: AbortSignal;
}

/** Reads server-sent events into the decoder until the body ends or the signal aborts. Never rejects. */
export async function runEventStream({ url, settings, connection, authorization, signal }: EventStreamRunDeps): Promise<void> {
  const { limits } = settings;
  const cursor = connection.begunAfter;
  try {
    const response = await settings.fetch(url, {
      headers: { accept: 'text/event-stream', ...(cursor !== null && { 'last-event-id': cursor }), ...authorization.headers },
      signal,
      credentials: settings.cookies,
      cache: 'no-store',
      redirect: 'error',
    });
    if (response.status === 204) return connection.lost('no content', { kind: 'ended' });
    if (!response.ok) {
      const body = await readText(response, REFUSAL_BYTES_MAX).catch(() => '');
      const refused = refusedBy(settings, response.status, body, response.headers.get('retry-after'));
      return connection.lost(`answered ${response.status}`, { kind: 'refused', ...refused });
    }
    if (!response.body)
      return connection.lost('this fetch has no body streams', {
        kind: 'refused',
        status: 501,
        code: 'NO_BODY_STREAMS',
        message: 'This fetch has no body streams.',
      });
    if (/html/i.test(response.headers.get('content-type') ?? '')) {
      void response.body.cancel().catch(() => undefined);
      return connection.lost('answered with a page', { kind: 'refused', ...refusedBy(settings, response.status, '', undefined) });
    }
    await read(response.body, connection, limits.frameBytesMax);
  } catch (error) {
    if (!signal.aborted) connection.lost(`network: ${String((error as Error | undefined)?.message ?? error)}`);
  }
}

async function read(body: ReadableStream<Uint8Array>, connection: ConnectionInput, frameBytesMax: number): Promise<void> {
  let unparsedBytes = 0;
  const parser = createParser({
    onEvent({ data }) {
      unparsedBytes = 0;
      connection.frame(data);
    },
  });
  const decoder = new TextDecoder();
  const reader = body.getReader();
  let isConfirmed = false;
  for (;;) {
    const { done, value } = await reader.read();
    if (connection.isClosed) return void reader.cancel().catch(() => undefined);
    if (done) return connection.lost('ended', { kind: 'ended' });
    if (!isConfirmed) {
      isConfirmed = true;
      connection.confirmed();
    }
    unparsedBytes += value.byteLength;
    parser.feed(decoder.decode(value, { stream: true }));
    // Closed by the decoder: what made it close may have ended the observation.
    if (connection.isClosed) return void reader.cancel().catch(() => undefined);
    if (unparsedBytes > frameBytesMax) return connection.lost(`an event above ${frameBytesMax} bytes`);
    connection.alive();
    connection.flush();
  }
}
