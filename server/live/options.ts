import type { RetryPolicy } from '../../machines/index.ts';

/** Limits and times of the live path. Every one has a default in {@link liveDefaults}. */
export interface LiveOptions {
  /** An idle WebSocket gets a heartbeat after that long, in milliseconds; also how often lost messages are looked for. Defaults to 25 s. */
  readonly heartbeatMs: number;
  /** An idle SSE stream gets a heartbeat after that long, in milliseconds. Defaults to 15 s. */
  readonly sseHeartbeatMs: number;
  /** Above that many unsent bytes a viewer falls behind, keeps nothing and reads the log again when it has drained. Defaults to 256 KiB. */
  readonly viewerBytesMax: number;
  /** A viewer with unsent bytes of which the network takes none for that long is cut, in milliseconds. Defaults to 60 s. */
  readonly stalledMs: number;
  /** Most bytes of facts that one long poll answers; one fact always fits. Defaults to 4 MiB. */
  readonly pollBytesMax: number;
  /** Most viewers and waiting polls of this process (429). Defaults to 20 000. */
  readonly viewersMax: number;
  /**
   * Most viewers and waiting polls of one owner on this process, over all connections (429; 1013 for a task of a shared WebSocket), so that
   * nobody takes the room of all others. Defaults to 1000.
   */
  readonly viewersPerOwnerMax: number;
  /** Most WebSockets of one owner on this process (429). Defaults to 200. */
  readonly socketsPerOwnerMax: number;
  /** Most tasks that one WebSocket with the extension `multiplex` shows at once; the next one is sent to another socket. Defaults to 256. */
  readonly tasksPerSocketMax: number;
  /** A WebSocket that has not subscribed after that long, or not again since its last subscription ended, is closed, in milliseconds. Defaults to 10 s. */
  readonly subscribeMs: number;
  /** Largest frame that a WebSocket client may send, in bytes. Defaults to 64 KiB. */
  readonly clientFrameBytesMax: number;
  /**
   * Frames of any kind that one owner may send each second over all of his sockets, twice as many at once; who sends more is not read for
   * a while. Defaults to 500.
   */
  readonly framesPerSecondMax: number;
  /** First pause after the store failed, in milliseconds; doubles with each further failure, up to `heartbeatMs`. Defaults to 200. */
  readonly storeRetryMs: number;
  /** A viewer whose store failed that often in a row is cut. Defaults to 5. */
  readonly storeTriesMax: number;
}

/** What holds where the host says nothing. */
export const liveDefaults: LiveOptions = {
  heartbeatMs: 25_000,
  sseHeartbeatMs: 15_000,
  viewerBytesMax: 256 * 1024,
  stalledMs: 60_000,
  pollBytesMax: 4 * 1024 * 1024,
  viewersMax: 20_000,
  viewersPerOwnerMax: 1_000,
  socketsPerOwnerMax: 200,
  tasksPerSocketMax: 256,
  subscribeMs: 10_000,
  clientFrameBytesMax: 64 * 1024,
  framesPerSecondMax: 500,
  storeRetryMs: 200,
  storeTriesMax: 5,
};

/** Clients take that much silence for the death of a connection, in milliseconds. */
const LIVENESS_MS = 60_000;
/** The longest delay that a timer takes. */
const DELAY_MS_MAX = 2 ** 31 - 1;

/** Fills in the defaults and throws a `RangeError` that says which option is wrong, and why. */
export function liveOptions(given: Partial<LiveOptions> = {}): LiveOptions {
  const known = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const options: LiveOptions = { ...liveDefaults, ...known };
  for (const [name, value] of Object.entries(options) as [string, unknown][]) {
    if (!Object.hasOwn(liveDefaults, name))
      throw new RangeError(`${name} is no option of the live path; known are ${Object.keys(liveDefaults).join(', ')}.`);
    const most = name.endsWith('Ms') ? DELAY_MS_MAX : Number.MAX_SAFE_INTEGER;
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > most)
      throw new RangeError(`${name} (${String(value)}) must be a whole number from 1 to ${most}.`);
  }
  for (const name of ['heartbeatMs', 'sseHeartbeatMs'] as const)
    if (options[name] >= LIVENESS_MS)
      throw new RangeError(
        `${name} (${options[name]}) must be below ${LIVENESS_MS}: clients take that much silence for a dead connection.`,
      );
  return options;
}

/** How often a store that failed is asked again on the live path. The search for lost messages goes on for as long as there is a topic. */
export function storeRetry({ storeRetryMs, heartbeatMs, storeTriesMax }: LiveOptions): RetryPolicy {
  return { baseMs: storeRetryMs, maxMs: Math.max(storeRetryMs, heartbeatMs), triesMax: storeTriesMax, jitter: 0 };
}
