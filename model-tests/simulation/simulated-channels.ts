import type { ChannelPort } from '../../client/tabs/channels.ts';
import type { SeededRandom } from '../support/seeded-random.ts';
import type { Entity } from './event-queue.ts';
import type { World } from './world.ts';

interface End {
  readonly entity: Entity;
  readonly onMessage: (message: unknown) => void;
  lastAt: number;
  isOpen: boolean;
}

/** The channels of one machine: what one process posts comes to all others, to each in order; what waits for a process that dies is gone. */
export class SimulatedChannels {
  readonly #world: World;
  readonly #random: SeededRandom;
  readonly #ends = new Map<string, Set<End>>();

  constructor(world: World, random: SeededRandom) {
    this.#world = world;
    this.#random = random;
  }

  /** As one process sees them. */
  of(entity: Entity): ChannelPort {
    return {
      open: (name, onMessage) => {
        const ends = this.#ends.get(name) ?? new Set();
        this.#ends.set(name, ends);
        const end: End = { entity, onMessage, lastAt: 0, isOpen: true };
        ends.add(end);
        return {
          post: (message) => this.#post(ends, end, message),
          close: () => {
            end.isOpen = false;
            ends.delete(end);
          },
        };
      },
    };
  }

  #post(ends: ReadonlySet<End>, from: End, message: unknown): void {
    const { time } = this.#world;
    if (!from.isOpen || from.entity.isDead) return;
    for (const end of ends) {
      if (end === from || end.entity.isDead) continue;
      // Nobody hears the sender's own object.
      const copy: unknown = structuredClone(message);
      end.lastAt = Math.max(end.lastAt, time + 0.1 + this.#random.fraction() * (this.#random.odds(0.05) ? 100 : 2));
      this.#world.after(end.lastAt - time, end.entity, () => end.isOpen && end.onMessage(copy));
    }
  }
}
