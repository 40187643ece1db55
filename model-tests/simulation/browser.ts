import { multiplexed, type SocketPort } from '../../client/transports/index.ts';
import { tabSockets, type TabSockets } from '../../client/tabs/index.ts';
import type { Being } from './agenda.ts';
import type { Planted } from './planted.ts';
import { SimulatedChannels } from './simulated-channels.ts';
import type { SimulatedClock } from './simulated-clock.ts';
import { SimulatedLocks } from './simulated-locks.ts';
import type { World } from './world.ts';

/** What the tabs of one browser share. */
export class Browser {
  readonly locks: SimulatedLocks;
  readonly #world: World;
  readonly #channels: SimulatedChannels;
  readonly #planted: Planted;

  constructor(world: World, planted: Planted) {
    this.#world = world;
    this.#planted = planted;
    this.locks = new SimulatedLocks(world, world.dice('locks'));
    this.#channels = new SimulatedChannels(world, world.dice('channels'));
  }

  /** Sockets that go through whichever tab leads. */
  open(itself: Being, sockets: SocketPort, clock: SimulatedClock): TabSockets {
    const channels = this.#channels.of(itself);
    return tabSockets({
      name: 'ann',
      sockets: multiplexed(sockets),
      locks: this.locks.of(itself),
      channels: this.#planted.channels?.(channels) ?? channels,
      clock,
      chance: { fraction: this.#world.dice(`tab of ${itself.name}`).fraction },
      limits: { pulseMs: 1_500, silenceMs: 1_500, absentMs: 20_000 },
    });
  }
}
