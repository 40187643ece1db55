import type { LockListener, LockPort } from '../../client/tabs/locks.ts';
import type { SeededRandom } from '../support/seeded-random.ts';
import type { Entity } from './event-queue.ts';
import type { World } from './world.ts';

interface Claim {
  readonly entity: Entity;
  readonly listener: LockListener;
  isOver: boolean;
}

/** The locks of one machine: whoever of its processes asks first holds first; a process that dies lets go, one that freezes does not. */
export class SimulatedLocks {
  readonly #world: World;
  readonly #random: SeededRandom;
  readonly #queues = new Map<string, Claim[]>();

  constructor(world: World, random: SeededRandom) {
    this.#world = world;
    this.#random = random;
  }

  /** As one process sees them. */
  of(entity: Entity): LockPort {
    return { claim: (name, listener, options) => this.#claim(name, { entity, listener, isOver: false }, options?.steal ?? false) };
  }

  /** The platform notices that a process is gone. */
  died(entity: Entity): void {
    for (const [name, queue] of this.#queues)
      for (const claim of queue.filter((one) => one.entity === entity))
        this.#world.after(1, this.#world.itself, () => this.#leave(name, claim));
  }

  #claim(name: string, claim: Claim, steal: boolean): () => void {
    const queue = this.#queues.get(name) ?? [];
    this.#queues.set(name, queue);
    const robbed = steal ? queue.shift() : undefined;
    if (steal) queue.unshift(claim);
    else queue.push(claim);
    if (robbed) this.#rob(robbed, name);
    if (queue[0] === claim) this.#tell(name, claim);
    return () => this.#leave(name, claim);
  }

  #rob(claim: Claim, name: string): void {
    claim.isOver = true;
    this.#world.tell(claim.entity.name, `loses ${name}`);
    this.#world.after(this.#random.fraction(), claim.entity, () => claim.listener.lost());
  }

  #leave(name: string, claim: Claim): void {
    claim.isOver = true;
    const queue = this.#queues.get(name) ?? [];
    const place = queue.indexOf(claim);
    if (place < 0) return;
    queue.splice(place, 1);
    const [first] = queue;
    if (place === 0 && first) this.#tell(name, first);
  }

  #tell(name: string, claim: Claim): void {
    this.#world.after(this.#random.fraction(), claim.entity, () => {
      if (claim.isOver) return;
      this.#world.tell(claim.entity.name, `holds ${name}`);
      claim.listener.held();
    });
  }
}

/** A platform without locks. */
export function noLocks(world: World, entity: Entity): LockPort {
  return {
    claim(_name, listener) {
      let isOver = false;
      world.after(0, entity, () => !isOver && listener.refused());
      return () => (isOver = true);
    },
  };
}
