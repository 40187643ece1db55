import type { Clock } from '../../server/ports/index.ts';
import type { ScheduledEvent, Entity } from './event-queue.ts';
import type { World } from './world.ts';

/** A machine's clock: the world's, and how far it is off. */
export interface SimulatedClock extends Clock {
  /** Sets it forward, or back. */
  shift(ms: number): void;
  /** Timers that wait. */
  readonly armed: number;
  /** Whoever it belongs to is over, and must have left no timer. */
  assertIdle(): void;
}

/** The clock of somebody; dies and freezes with them. No `support/fake-clock.ts`: its timers stand in one event queue with all that the world sends. */
export function simulatedClock(world: World, whose: Entity, offBy = 0): SimulatedClock {
  const armed = new Map<ScheduledEvent, string | undefined>();
  let offset = offBy;
  return {
    get armed() {
      return whose.isDead ? 0 : armed.size;
    },
    now: () => world.now + offset,
    // No date that is set moves it.
    monotonic: () => world.time,
    setTimeout(fn, ms) {
      const timer = world.after(ms, whose, () => {
        armed.delete(timer);
        fn();
      });
      armed.set(timer, world.told && new Error().stack);
      return timer;
    },
    clearTimeout(id) {
      if (id == null) return;
      // What was given out above.
      armed.delete(id as ScheduledEvent);
      world.cancel(id as ScheduledEvent);
    },
    shift: (ms) => (offset += ms),
    assertIdle() {
      if (armed.size === 0 || whose.isDead) return;
      const stacks = [...armed.values()].flatMap((stack) => (stack ? [`\n${stack.split('\n').slice(2, 8).join('\n')}`] : []));
      world.fault('nothing is left open', `${whose.name} left ${armed.size} timers${stacks.join('')}`);
    },
  };
}
