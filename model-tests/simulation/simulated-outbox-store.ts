import type { OutboxStore, StoredEntry } from '../../client/outbox/index.ts';
import type { SeededRandom } from '../support/seeded-random.ts';
import type { Entity } from './event-queue.ts';
import type { Faults } from './faults.ts';
import type { FaultPoint } from './plan.ts';
import type { OutboxCheck } from './outbox-check.ts';
import { SimulatedChannels } from './simulated-channels.ts';
import { SimulatedLocks } from './simulated-locks.ts';
import type { World } from './world.ts';

/** What a process needs to reach its shelf. */
export interface OutboxProcess {
  readonly entity: Entity;
  readonly random: SeededRandom;
  /** The process dies here. False where it is ending anyway. */
  die(): boolean;
}

/** Where the commands of one person are kept: outlives every process, and is shared by all that the person has open on one machine. */
export class SimulatedOutboxStore {
  readonly check: OutboxCheck;
  readonly locks: SimulatedLocks;
  readonly channels: SimulatedChannels;
  readonly #world: World;
  readonly #faults: Faults;
  readonly #name: string;
  readonly #kept = new Map<string, StoredEntry>();

  constructor(name: string, world: World, faults: Faults, check: OutboxCheck) {
    this.#name = name;
    this.#world = world;
    this.#faults = faults;
    this.check = check;
    this.locks = new SimulatedLocks(world, world.random(`locks of ${name}`));
    this.channels = new SimulatedChannels(world, world.random(`channels of ${name}`));
  }

  /** As one process sees it: each call takes time, may fail before or after it was done, or be the last that the process does. */
  of(user: OutboxProcess): OutboxStore {
    return {
      name: this.#name,
      keepsBinary: true,
      read: () => this.#call('shelf.read', user, () => this.#all()),
      change: (decide) => this.#call('shelf.change', user, () => this.#change(decide, user)),
    };
  }

  #all(): StoredEntry[] {
    return [...this.#kept.values()].map((entry) => structuredClone(entry));
  }

  #change(decide: Parameters<OutboxStore['change']>[0], { entity }: OutboxProcess): void {
    const { keep = [], remove = [] } = decide(this.#all());
    for (const entry of keep) this.#kept.set(entry.id, structuredClone(entry));
    for (const id of remove) this.#kept.delete(id);
    if (keep.length + remove.length > 0) this.check.changed(this.#kept, entity.name);
  }

  #call<T>(point: FaultPoint, { entity, random, die }: OutboxProcess, verb: () => T): Promise<T> {
    const what = this.#faults.strike(point, entity.name);
    const world = this.#world;
    return new Promise((resolve, reject) => {
      if (what === 'die before' && die()) return;
      if (what === 'before') return void world.after(1, entity, () => reject(new Error('The shelf is out of reach.')));
      // What was asked for is done, even if the process dies meanwhile.
      world.after(random.fraction() * 2, world.itself, () => {
        let result: T;
        try {
          result = verb();
        } catch (error) {
          return void world.after(1, entity, () => reject(error as Error));
        }
        if (what === 'die after' && die()) return;
        const backMs = what === 'slow' ? 2_500 : random.fraction();
        if (what === 'after') world.after(backMs, entity, () => reject(new Error('The reply of the shelf was lost.')));
        else world.after(backMs, entity, () => resolve(result));
      });
    });
  }
}
