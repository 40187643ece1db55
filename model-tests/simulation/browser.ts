import { multiplexed, type SocketPort } from '../../client/transports/index.ts';
import { tabSockets, type TabSockets } from '../../client/tabs/index.ts';
import type { Entity } from './event-queue.ts';
import type { PlantedBug } from './planted-bug.ts';
import { SimulatedChannels } from './simulated-channels.ts';
import type { SimulatedClock } from './simulated-clock.ts';
import { SimulatedLocks } from './simulated-locks.ts';
import type { World } from './world.ts';

/** What the tabs of one browser share. */
export class Browser {
  readonly locks: SimulatedLocks;
  readonly #world: World;
  readonly #channels: SimulatedChannels;
  readonly #planted: PlantedBug;

  constructor(world: World, planted: PlantedBug) {
    this.#world = world;
    this.#planted = planted;
    this.locks = new SimulatedLocks(world, world.random('locks'));
    this.#channels = new SimulatedChannels(world, world.random('channels'));
  }

  /** Sockets that go through whichever tab leads. */
  open(itself: Entity, sockets: SocketPort, clock: SimulatedClock): TabSockets {
    const channels = this.#channels.of(itself);
    return tabSockets({
      name: 'ann',
      sockets: multiplexed(sockets),
      locks: this.locks.of(itself),
      channels: this.#planted.channels?.(channels) ?? channels,
      clock,
      chance: { fraction: this.#world.random(`tab of ${itself.name}`).fraction },
      limits: { pulseMs: 1_500, silenceMs: 1_500, absentMs: 20_000 },
    });
  }
}
