import { batchDefaults, type BatchSizes } from '../../live/batch-sizes.ts';
import { checkedSettings, flag, matching, wholeNumber, type SettingRule } from '../settings-check.ts';

/** What a host may set of the streams of server-sent events. Every one has a default in `streamDefaults.sse`. */
export interface SseStreamSettings extends BatchSizes {
  /**
   * Whether an idle stream is sent a comment every `live.sseHeartbeatMs`. It keeps proxies from ending the connection; no client but ours takes
   * it for a sign of life. Defaults to true.
   */
  readonly heartbeatComment: boolean;
  /**
   * Whether an idle stream is sent a data frame every `live.sseHeartbeatMs`: what published clients take for a sign of life. Without it they
   * leave a stream that is quiet for 60 s, and so does ours where there is no comment either. Defaults to true.
   */
  readonly heartbeatFrame: boolean;
  /** What the comment says: one line, at most 256 characters. Defaults to `heartbeat`. */
  readonly commentText: string;
  /**
   * Spaces in a comment before all else, for proxies that pass nothing on until they have so many bytes. 0 for no such comment; at most
   * 65 536. Defaults to 0.
   */
  readonly preambleBytes: number;
  /**
   * The greatest age of a stream, in milliseconds, less a tenth at most by chance: a proxy may keep one open for ever whose client is long gone. It ends,
   * and clients come back by themselves with what they have. Defaults to an hour.
   */
  readonly ageMsMax: number;
  /** The header `Cache-Control`; empty for none. Defaults to `no-cache, no-transform`. */
  readonly cacheControl: string;
  /** The header `Connection`; empty leaves it to Node, which answers what the client asked for. Defaults to empty. */
  readonly connection: '' | 'keep-alive' | 'close';
  /** The header `X-Accel-Buffering`, which nginx obeys; empty for none. Defaults to `no`. */
  readonly xAccelBuffering: string;
}

/** What holds where the host says nothing. */
export const sseStreamDefaults: SseStreamSettings = {
  ...batchDefaults,
  heartbeatComment: true,
  heartbeatFrame: true,
  commentText: 'heartbeat',
  preambleBytes: 0,
  ageMsMax: 3_600_000,
  cacheControl: 'no-cache, no-transform',
  connection: '',
  xAccelBuffering: 'no',
};

const PREAMBLE_BYTES_MAX = 64 * 1024;
/** The longest delay that a timer takes. */
const DELAY_MS_MAX = 2 ** 31 - 1;
const headerValue = matching(/^[\x20-\x7e]{0,256}$/, 'the value of a header: printable ASCII, at most 256 characters');

const rules: Readonly<Record<keyof SseStreamSettings, SettingRule>> = {
  replayFactsMax: wholeNumber(1, Number.MAX_SAFE_INTEGER),
  liveFactsMax: wholeNumber(1, Number.MAX_SAFE_INTEGER),
  heartbeatComment: flag,
  heartbeatFrame: flag,
  commentText: matching(/^\P{Cc}{0,256}$/u, 'one line of at most 256 characters: a line break would end the comment'),
  preambleBytes: wholeNumber(0, PREAMBLE_BYTES_MAX),
  ageMsMax: wholeNumber(1, DELAY_MS_MAX),
  cacheControl: headerValue,
  connection: matching(/^(keep-alive|close|)$/, '"keep-alive", "close", or "" to leave it to Node'),
  xAccelBuffering: headerValue,
};

/** Fills in the defaults. Throws a `RangeError` that says which setting is wrong, and why. */
export function sseStreamSettings(given?: Partial<SseStreamSettings>): SseStreamSettings {
  return checkedSettings('streams.sse', given, sseStreamDefaults, rules);
}

/** The headers of a stream: what keeps proxies and middleware from holding an event back. */
export function sseHeaders({ cacheControl, connection, xAccelBuffering }: SseStreamSettings): Readonly<Record<string, string>> {
  return {
    'Content-Type': 'text/event-stream',
    ...(cacheControl !== '' && { 'Cache-Control': cacheControl }),
    ...(connection !== '' && { Connection: connection }),
    ...(xAccelBuffering !== '' && { 'X-Accel-Buffering': xAccelBuffering }),
  };
}
