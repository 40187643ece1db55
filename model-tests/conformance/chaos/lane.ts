import type { Socket } from 'node:net';
import type { Clock } from 'taskbridge/server';
import type { Impairment } from './impairment.ts';

/** One direction of a connection that is passed on. */
export interface Lane {
  /** Bytes that came through. */
  readonly bytes: number;
  /** Replaces what is wrong with it. */
  impair(impairment: Impairment): void;
  /** Passes nothing on any more, and leaves no timer. */
  close(): void;
}

/** What waits to be passed on; without bytes it is the sender's end. */
interface Parcel {
  bytes: Buffer | undefined;
  readonly arrivedAt: number;
}

const WAITING_BYTES_MAX = 64 * 1024;
/** A buffering proxy has its limit too. */
const BUFFERED_BYTES_MAX = 64 * 1024 * 1024;
/** Throttled bytes come in slices, this many a second. */
const SLICES_A_SECOND = 20;

/** Passes on what `source` says to `sink`; `cut` is called once when `cutAfterBytes` is reached. */
export function createLane(source: Socket, sink: Socket, clock: Clock, cut: (how: 'reset' | 'end') => void): Lane {
  const parcels: Parcel[] = [];
  let impairment: Impairment = {};
  let [waiting, passed, freeAt] = [0, 0, 0];
  let left = Infinity;
  let ended = false;
  let closed = false;
  let timer: unknown;

  function take(bytes: Buffer | undefined): void {
    if (closed) return;
    parcels.push({ bytes, arrivedAt: clock.now() });
    waiting += bytes?.byteLength ?? 0;
    ended ||= bytes === undefined;
    pump();
  }

  /** Writes what may go now, and sees to it that it is called again when more may. */
  function pump(): void {
    clock.clearTimeout(timer);
    timer = undefined;
    for (let first = parcels[0]; first && !closed && isOpen(); first = parcels[0]) {
      const waitMs = Math.max(first.arrivedAt + (impairment.delayMs ?? 0), freeAt) - clock.now();
      if (waitMs > 0) {
        timer = clock.setTimeout(pump, waitMs);
        break;
      }
      pass(first);
    }
    if (closed) return;
    if (waiting >= (impairment.buffered ? BUFFERED_BYTES_MAX : WAITING_BYTES_MAX)) source.pause();
    else source.resume();
  }

  const isOpen = (): boolean =>
    !impairment.stalled && !(impairment.buffered && !ended && waiting < BUFFERED_BYTES_MAX) && !sink.writableNeedDrain;

  function pass(parcel: Parcel): void {
    if (!parcel.bytes) {
      parcels.shift();
      sink.end();
      return;
    }
    const rate = impairment.bytesPerSecond;
    const slice = parcel.bytes.subarray(0, Math.min(left, rate === undefined ? Infinity : Math.max(1, Math.floor(rate / SLICES_A_SECOND))));
    parcel.bytes = parcel.bytes.subarray(slice.byteLength);
    if (parcel.bytes.byteLength === 0) parcels.shift();
    waiting -= slice.byteLength;
    passed += slice.byteLength;
    left -= slice.byteLength;
    if (rate !== undefined) freeAt = Math.max(freeAt, clock.now()) + (slice.byteLength * 1000) / rate;
    const how = impairment.cutBy ?? 'reset';
    if (left > 0) sink.write(slice);
    else {
      closed = true;
      // Only when the kernel has them, so that exactly so many bytes arrive.
      sink.write(slice, () => cut(how));
    }
  }

  const onEnd = (): void => take(undefined);
  source.on('data', take).on('end', onEnd);
  sink.on('drain', pump);

  return {
    get bytes() {
      return passed;
    },
    impair(next) {
      impairment = next;
      left = next.cutAfterBytes ?? Infinity;
      freeAt = 0;
      if (closed) return;
      if (left === 0) {
        closed = true;
        cut(next.cutBy ?? 'reset');
      } else pump();
    },
    close() {
      closed = true;
      clock.clearTimeout(timer);
      source.off('data', take).off('end', onEnd);
      sink.off('drain', pump);
    },
  };
}
