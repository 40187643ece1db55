/** What is wrong with one direction of a connection. What is absent is sound; everything may be combined. */
export interface Impairment {
  /** Every chunk, and the end, arrives this many milliseconds later than it was sent. */
  readonly delayMs?: number;
  /** No more than this many bytes a second come through; at least 1. */
  readonly bytesPerSecond?: number;
  /** Nothing comes through, and the sender runs into back-pressure, as behind a peer that reads no more. */
  readonly stalled?: boolean;
  /** Everything is taken, and comes through only once the sender has ended its side, as behind a proxy that buffers whole responses. */
  readonly buffered?: boolean;
  /** After so many more bytes of this direction the connection is cut, counted for each connection from when this was said; at least 0. */
  readonly cutAfterBytes?: number;
  /**
   * How it is cut: `reset` (a TCP reset, the default) or `end`, a proper end, which an HTTP body without a length takes for its own. A peer
   * that meets the last bytes and the reset in one look may see an end too: libuv reports it so.
   */
  readonly cutBy?: 'reset' | 'end';
}

/** Both directions, or one: `up` from client to server, `down` from server to client. */
export type Direction = 'up' | 'down' | 'both';

/** Throws a `RangeError` that names the value which cannot work. */
export function checkImpairment({ delayMs, bytesPerSecond, cutAfterBytes }: Impairment): void {
  atLeast('delayMs', delayMs, 0);
  atLeast('bytesPerSecond', bytesPerSecond, 1);
  atLeast('cutAfterBytes', cutAfterBytes, 0);
}

function atLeast(name: string, value: number | undefined, least: number): void {
  if (value !== undefined && !(value >= least && Number.isFinite(value)))
    throw new RangeError(`${name} (${value}) must be a number of at least ${least}.`);
}
