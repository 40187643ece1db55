import type { SeededRandom } from '../support/seeded-random.ts';
import type { ScheduledEvent, Entity } from './event-queue.ts';
import type { Faults } from './faults.ts';
import type { World } from './world.ts';

/** What a queue is made of. */
export interface SendQueueDeps {
  readonly world: World;
  readonly faults: Faults;
  readonly random: SeededRandom;
  readonly name: string;
  /** Whose writes these are. */
  readonly sender: Entity;
  /** To whom they come. */
  readonly receiver: Entity;
  /** The connection breaks here: for both, or for one of them only. */
  cut(who: 'both' | 'receiver' | 'nobody'): void;
  /** Something between both ends the connection in the proper way. */
  endBetween(): void;
  /** The sender's system gives up a connection whose other end never answers. */
  giveUp(): void;
}

/** How long it tries, in milliseconds: more than our own watch over stalled viewers, less than a real one, which takes a quarter of an hour. */
const KERNEL_MS = 25_000;

interface Parcel {
  readonly bytes: number;
  readonly arrive: () => void;
}

/** What a server sends over one connection: taken by the network in order, and in order at the other end; or stuck, or lost in a void. */
export class SendQueue {
  pendingBytes = 0;
  takenBytes = 0;
  /** Nothing goes through before then, in milliseconds of the world. */
  stuckUntil = 0;
  isBroken = false;
  readonly #deps: SendQueueDeps;
  readonly #queue: Parcel[] = [];
  readonly #underWay = new Set<ScheduledEvent>();
  #waiters: (() => void)[] = [];
  #isPumping = false;
  #lastArrival = 0;

  constructor(deps: SendQueueDeps) {
    this.#deps = deps;
  }

  send(bytes: number, arrive: () => void): void {
    if (this.isBroken) return;
    const { faults, name, cut, endBetween, giveUp, sender, world, random } = this.#deps;
    switch (faults.strike('chunk', name)) {
      case 'cut':
        this.break(false);
        return cut('both');
      case 'half-open':
        this.stuckUntil = Number.POSITIVE_INFINITY;
        cut(random.odds(0.5) ? 'receiver' : 'nobody');
        world.after(KERNEL_MS, sender, giveUp);
        break;
      case 'stalled':
        this.stuckUntil = world.time + 500 + random.fraction() * 12_000;
        break;
      case 'closed':
        return endBetween();
      default:
    }
    this.pendingBytes += bytes;
    this.#queue.push({ bytes, arrive });
    this.#pump();
  }

  /** Calls back, in a later turn, when the network has taken all that was sent before. */
  whenTaken(callback: () => void): void {
    if (this.isBroken) return;
    if (this.#queue.length === 0) this.#deps.world.after(0, this.#deps.sender, callback);
    else this.#waiters.push(callback);
  }

  /** Nothing more goes out; what is under way arrives, or does not. */
  break(losesUnderWay: boolean): void {
    this.isBroken = true;
    this.#queue.length = 0;
    if (losesUnderWay) for (const one of this.#underWay) this.#deps.world.cancel(one);
  }

  #pump(): void {
    const { world, random } = this.#deps;
    while (!this.#isPumping && this.#queue.length > 0 && !this.isBroken) {
      const waitMs = Math.max(random.odds(0.7) ? 0 : random.fraction() * 2, this.stuckUntil - world.time);
      if (waitMs === Number.POSITIVE_INFINITY) return;
      if (waitMs <= 0) this.#take();
      else {
        this.#isPumping = true;
        world.after(waitMs, world.itself, () => {
          this.#isPumping = false;
          if (!this.isBroken) this.#take();
          this.#pump();
        });
      }
    }
  }

  #take(): void {
    const { world, random, receiver, sender } = this.#deps;
    const parcel = this.#queue.shift();
    if (!parcel) return;
    this.pendingBytes -= parcel.bytes;
    this.takenBytes += parcel.bytes;
    const latencyMs = 0.2 + random.fraction() * (random.odds(0.05) ? 300 : 8);
    const at = Math.max(world.time + latencyMs, this.#lastArrival);
    this.#lastArrival = at;
    const arriving = world.after(at - world.time, receiver, () => {
      this.#underWay.delete(arriving);
      parcel.arrive();
    });
    this.#underWay.add(arriving);
    if (this.#queue.length > 0) return;
    for (const waiter of this.#waiters) world.after(0, sender, waiter);
    this.#waiters = [];
  }
}
