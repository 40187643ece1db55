import { monotonicMs, type Clock } from '../ports/clock.ts';

interface Allowance {
  frames: number;
  since: number;
  sockets: number;
}

/** What frames are metered with. */
export interface FrameRateDeps {
  readonly clock: Clock;
  /** Frames that one owner may send each second, over all of his sockets; twice as many at once. */
  readonly framesPerSecondMax: number;
}

/** How many frames each owner may send: who sends more is not read for a while, and loses nothing. */
export class FrameRate {
  readonly #deps: FrameRateDeps;
  readonly #owners = new Map<string, Allowance>();

  constructor(deps: FrameRateDeps) {
    this.#deps = deps;
  }

  /** A socket of an owner is there, until it leaves. */
  enter(owner: string): void {
    const allowance = this.#owners.get(owner) ?? { frames: this.#burst, since: monotonicMs(this.#deps.clock), sockets: 0 };
    allowance.sockets += 1;
    this.#owners.set(owner, allowance);
  }

  /** A socket of an owner is gone. */
  leave(owner: string): void {
    const allowance = this.#owners.get(owner);
    if (!allowance) return;
    allowance.sockets -= 1;
    // Who comes back finds what he left, as long as he has any other socket.
    if (allowance.sockets === 0) this.#owners.delete(owner);
  }

  /** Takes one frame of an owner; gives how long nothing more of him is to be read, in milliseconds. */
  take(owner: string): number {
    const allowance = this.#owners.get(owner);
    if (!allowance) return 0;
    const { clock, framesPerSecondMax } = this.#deps;
    const now = monotonicMs(clock);
    // A host's clock may have none but the date: set back, it gives nothing, and takes nothing either.
    const gained = (Math.max(0, now - allowance.since) / 1000) * framesPerSecondMax;
    allowance.frames = Math.min(this.#burst, allowance.frames + gained) - 1;
    allowance.since = now;
    return allowance.frames >= 0 ? 0 : Math.ceil((-allowance.frames / framesPerSecondMax) * 1000);
  }

  get #burst(): number {
    return 2 * this.#deps.framesPerSecondMax;
  }
}
