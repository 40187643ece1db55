import type { CheckpointStore } from '../../client/index.ts';
import type { SeededRandom } from '../support/seeded-random.ts';
import type { Entity } from './event-queue.ts';
import type { Faults } from './faults.ts';
import type { FaultPoint } from './plan.ts';
import type { World } from './world.ts';

/** What a client's checkpoints are made of. */
export interface SimulatedCheckpointsDeps {
  readonly world: World;
  readonly faults: Faults;
  readonly random: SeededRandom;
  readonly entity: Entity;
  /** Outlives the client. */
  readonly texts: Map<string, string>;
  /** Looks at what is about to be written. */
  onWrite(key: string, text: string): void;
}

/** A checkpoint store that takes its time, and may fail before or after it wrote. */
export function simulatedCheckpoints({ world, faults, random, entity, texts, onWrite }: SimulatedCheckpointsDeps): CheckpointStore {
  function call<T>(point: FaultPoint, verb: () => T): Promise<T> {
    const what = faults.strike(point, entity.name);
    return new Promise((resolve, reject) => {
      if (what === 'before') return void world.after(1, entity, () => reject(new Error('The checkpoint store failed.')));
      // What was asked for is done, even if the client dies meanwhile.
      world.after(random.fraction() * 2, world.itself, () => {
        const result = verb();
        const backMs = what === 'slow' ? 2_500 : random.fraction();
        if (what === 'after') world.after(backMs, entity, () => reject(new Error('The reply of the checkpoint store was lost.')));
        else world.after(backMs, entity, () => resolve(result));
      });
    });
  }

  return {
    read: (key) => call('checkpoint.read', () => texts.get(key)),
    write: (key, text) => {
      onWrite(key, text);
      return call('checkpoint.write', () => void texts.set(key, text));
    },
    remove: (key) => call('checkpoint.remove', () => void texts.delete(key)),
  };
}
