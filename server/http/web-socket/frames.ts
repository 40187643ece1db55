import type { Entry } from '../../ports/store.ts';

const FINAL_TEXT = 0x81;
const cache = new WeakMap<readonly Entry[], Buffer>();
/** What was framed last: all viewers of a task are given the same array one after the other. */
let last: { readonly entries: readonly Entry[]; readonly frames: Buffer } | undefined;
/** A single one below it is soon framed again; to be looked up for as long as it lives would cost the collector more. */
const CACHED_BYTES_MIN = 4096;

/**
 * Facts as they go over a WebSocket: each a text frame of its own, all in one piece of memory. Framed once for all viewers that get the
 * same array; one write to the socket is then all that a turn of the event loop costs a viewer. Source: RFC 6455, section 5.2.
 */
export function factFrames(entries: readonly Entry[]): Buffer {
  if (last?.entries === entries) return last.frames;
  const known = cache.get(entries);
  if (known) return known;
  const frames = Buffer.allocUnsafe(entries.reduce((sum, { bytes }) => sum + headBytes(bytes.byteLength) + bytes.byteLength, 0));
  let at = 0;
  for (const { bytes } of entries) {
    at = writeHead(frames, at, bytes.byteLength);
    frames.set(bytes, at);
    at += bytes.byteLength;
  }
  if (entries.length > 1 || at >= CACHED_BYTES_MIN) cache.set(entries, frames);
  last = { entries, frames };
  return frames;
}

/** The head of one frame, for a payload that is too large to be copied behind it. */
export function frameHead(payloadBytes: number): Buffer {
  const head = Buffer.allocUnsafe(headBytes(payloadBytes));
  writeHead(head, 0, payloadBytes);
  return head;
}

function headBytes(payloadBytes: number): number {
  if (payloadBytes < 126) return 2;
  return payloadBytes < 65_536 ? 4 : 10;
}

function writeHead(frames: Buffer, at: number, payloadBytes: number): number {
  const next = frames.writeUInt8(FINAL_TEXT, at);
  if (payloadBytes < 126) return frames.writeUInt8(payloadBytes, next);
  if (payloadBytes < 65_536) return frames.writeUInt16BE(payloadBytes, frames.writeUInt8(126, next));
  return frames.writeBigUInt64BE(BigInt(payloadBytes), frames.writeUInt8(127, next));
}
