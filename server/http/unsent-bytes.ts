import { TaskBridgeError } from '../errors.ts';
import { OwnerCount } from '../live/owner-count.ts';

/** How much of answers may wait for peers that do not read them. */
export interface UnsentBytesDeps {
  /** In this process, in bytes. */
  readonly unsentBytesMax: number;
  /** For one owner, in bytes. */
  readonly unsentBytesPerOwnerMax: number;
}

/** Answers that are no larger are always given: a refusal would be no smaller. */
export const SMALL_ANSWER_BYTES = 16 * 1024;

/** The bytes of large answers that are in memory, since nobody has read them yet. */
export class UnsentBytes {
  readonly #deps: UnsentBytesDeps;
  readonly #held = new OwnerCount();

  constructor(deps: UnsentBytesDeps) {
    this.#deps = deps;
  }

  /** How many there are, now. */
  get bytes(): number {
    return this.#held.all;
  }

  /**
   * Counts part of an answer. Gives the function to be called once when it is gone. One answer fits in any case, for it could never be
   * given else. Throws `RATE_LIMITED`, whose `details.limit` names what is full.
   */
  hold(owner: string, bytes: number): () => void {
    if (bytes <= SMALL_ANSWER_BYTES) return () => undefined;
    const { unsentBytesMax, unsentBytesPerOwnerMax } = this.#deps;
    const ofOwner = this.#held.of(owner);
    if (ofOwner > 0 && ofOwner + bytes > unsentBytesPerOwnerMax)
      throw full('unsentBytesPerOwnerMax', unsentBytesPerOwnerMax, 'Answers to this caller that are not read yet');
    if (this.#held.all > 0 && this.#held.all + bytes > unsentBytesMax)
      throw full('unsentBytesMax', unsentBytesMax, 'Answers of this server that are not read yet');
    return this.count(owner, bytes);
  }

  /** Counts a further part of an answer, for which there was room. Gives the function to be called once when it is gone. */
  count(owner: string, bytes: number): () => void {
    this.#held.enter(owner, bytes);
    return () => this.#held.leave(owner, bytes);
  }

  /** True where that much more has room: what is not given now is asked for again. */
  hasRoom(owner: string, bytes: number): boolean {
    const { unsentBytesMax, unsentBytesPerOwnerMax } = this.#deps;
    return this.#held.of(owner) + bytes <= unsentBytesPerOwnerMax && this.#held.all + bytes <= unsentBytesMax;
  }
}

function full(limit: string, bytesMax: number, what: string): TaskBridgeError {
  return new TaskBridgeError(
    'RATE_LIMITED',
    `${what} have ${bytesMax} bytes together, the most that they may (${limit}); come back later.`,
    {
      retryAfterSeconds: 5,
      details: { limit, bytesMax },
    },
  );
}
