import { compareEventIds, type Gap } from '../../machines/wire/index.ts';
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
    const gap = readGap(page['gap']);
    if (isOfAnother(page, events, gap, connection.begunAfter)) return connection.lost('a page that does not follow its cursor');
    // Only a server that counts without holes says whether the log has ended.
    connection.confirmed(typeof page['terminal'] === 'boolean' ? [] : undefined);
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

/** True for an answer to another question than this cursor's, which a cache gives that looks at no query: it would be given again and again. */
function isOfAnother(
  { nextAfterEventId: next }: { readonly nextAfterEventId?: unknown },
  events: readonly unknown[],
  gap: Gap | undefined,
  cursor: string | null,
): boolean {
  const isBehind = (id: unknown, most: number): boolean =>
    cursor !== null && typeof id === 'string' && (compareEventIds(id, cursor) ?? 1) <= most;
  const ids = events.map((event) => (event as { readonly eventId?: unknown } | null)?.eventId);
  // Who knows the cursor's own fact does not replace its history.
  if (gap?.reason === 'reset') return ids.includes(cursor);
  return ids.length === 0 ? isBehind(next, -1) : ids.every((id) => isBehind(id, 0));
}
