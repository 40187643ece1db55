import type { Authorization } from '../auth/credentials.ts';
import { parseObject, readText, refusedBy, thrownBy } from '../commands/answer.ts';
import { readGap } from '../observation/frame.ts';
import type { ConnectionInput, DecodedEvent } from '../observation/frame-decoder.ts';
import type { ClientSettings } from '../options.ts';

/** What one poll works with. */
export interface LongPollRunDeps {
  readonly url: string;
  readonly settings: ClientSettings;
  readonly connection: ConnectionInput;
  readonly authorization: Authorization;
  readonly signal: AbortSignal;
  readonly tell: (event: DecodedEvent) => void;
  /** Nothing can follow what was delivered. */
  readonly ended: () => void;
  /** Believes a page that it reaches this far. */
  readonly advance: (cursor: string) => void;
}

/** Asks for one page and hands it to the decoder. Never rejects. */
export async function runPoll({ url, settings, connection, authorization, signal, tell, ended, advance }: LongPollRunDeps): Promise<void> {
  const { limits } = settings;
  try {
    const response = await settings.fetch(url, {
      headers: { accept: 'application/json', ...authorization.headers },
      signal,
      credentials: settings.cookies,
      cache: 'no-store',
    });
    const text = await readText(response, limits.pageBytesMax);
    if (!response.ok) {
      const refused = refusedBy(settings, response.status, text, response.headers.get('retry-after'));
      return connection.lost(`answered ${response.status}`, { kind: 'refused', ...refused });
    }
    connection.raw(text);
    const page = parseObject(text);
    if (!page || !Array.isArray(page['events'])) return connection.lost('a page without events');
    settings.origin.hasSpoken = true;
    readPage(page, page['events'], text.length);
  } catch (error) {
    if (!signal.aborted) connection.lost(...thrownBy(settings, error));
  }

  function readPage(page: { readonly [key: string]: unknown }, events: readonly unknown[], bytes: number): void {
    // Only a server that counts without holes says whether the log has ended.
    connection.confirmed(typeof page['terminal'] === 'boolean' ? [] : undefined);
    const gap = readGap(page['gap']);
    if (gap) connection.gap(gap);
    const before = connection.delivered;
    for (const event of events) {
      if (connection.isClosed) return;
      connection.value(event, Math.ceil(bytes / events.length));
    }
    for (const frame of Array.isArray(page['parts']) ? (page['parts'] as readonly unknown[]) : []) connection.value(frame, 0);
    if (connection.isClosed) return;
    if (events.length > 0 && typeof page['nextAfterEventId'] === 'string') advance(page['nextAfterEventId']);
    const hasNews = connection.delivered > before;
    connection.flush();
    if (connection.isClosed) return;
    connection.close();
    if (page['terminal'] === true && page['hasMore'] !== true) ended();
    else tell({ type: hasNews ? 'wire.page' : 'wire.empty' });
  }
}
