import type { IncomingMessage, ServerResponse } from 'node:http';
import { monotonicMs, type Clock } from '../ports/clock.ts';

/** What the watch over answers needs. */
export interface StalledAnswersDeps {
  readonly clock: Clock;
  /** A peer that takes nothing of what waits for it for that long is cut, in milliseconds. */
  readonly stalledMs: number;
}

/** What is seen of one answer that waits. */
interface Watched {
  /** Bytes that the kernel had taken when it was last looked at. */
  taken: number;
  /** Since when it takes no more, or since when nothing waits. */
  since: number;
}

/** Cuts connections whose peer does not read its answer. Streams are watched by their viewers. */
export class StalledAnswers {
  readonly #deps: StalledAnswersDeps;
  readonly #watched = new Map<ServerResponse, Watched>();
  #timer: unknown;

  constructor(deps: StalledAnswersDeps) {
    this.#deps = deps;
  }

  /** Watches the answer to a request, which is about to be written, to its end. */
  watch(req: IncomingMessage, res: ServerResponse): void {
    if (req.socket.destroyed || res.destroyed) return;
    this.#watched.set(res, { taken: 0, since: monotonicMs(this.#deps.clock) });
    res.on('close', () => this.#forget(res));
    this.#arm();
  }

  #arm(): void {
    this.#timer ??= this.#deps.clock.setTimeout(() => this.#look(), Math.ceil(this.#deps.stalledMs / 4));
  }

  #look(): void {
    this.#timer = undefined;
    const { clock, stalledMs } = this.#deps;
    const now = monotonicMs(clock);
    for (const [res, seen] of this.#watched) {
      const { unsent, taken } = progressOf(res);
      if (unsent === 0 || taken !== seen.taken) Object.assign(seen, { taken, since: now } satisfies Watched);
      else if (now - seen.since >= stalledMs) {
        this.#watched.delete(res);
        res.destroy();
      }
    }
    if (this.#watched.size > 0) this.#arm();
  }

  #forget(res: ServerResponse): void {
    this.#watched.delete(res);
    if (this.#watched.size > 0 || this.#timer === undefined) return;
    this.#deps.clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

/** How much of an answer waits in this process, and a number that grows with what the kernel has taken. */
function progressOf(res: ServerResponse): { readonly unsent: number; readonly taken: number } {
  // Of HTTP/2, where many answers share a connection: its own part of it.
  if ('stream' in res) {
    const { writableLength } = res.stream as { readonly writableLength: number };
    return { unsent: writableLength, taken: -writableLength };
  }
  const { socket } = res;
  const unsent = socket?.writableLength ?? 0;
  return { unsent, taken: socket && unsent > 0 ? socket.bytesWritten - unsent : 0 };
}
