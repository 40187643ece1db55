import type { CheckpointStore } from '../../client/index.ts';
import type { SeededRandom } from '../support/seeded-random.ts';
import type { Being } from './agenda.ts';
import type { Faults } from './faults.ts';
import type { FaultPoint } from './plan.ts';
import type { World } from './world.ts';

/** What a client's checkpoints are made of. */
export interface SimulatedCheckpointsContext {
  readonly world: World;
  readonly faults: Faults;
  readonly dice: SeededRandom;
  readonly being: Being;
  /** Outlives the client. */
  readonly texts: Map<string, string>;
  /** Looks at what is about to be written. */
  onWrite(key: string, text: string): void;
}

/** A checkpoint store that takes its time, and may fail before or after it wrote. */
export function simulatedCheckpoints({ world, faults, dice, being, texts, onWrite }: SimulatedCheckpointsContext): CheckpointStore {
  function call<T>(point: FaultPoint, verb: () => T): Promise<T> {
    const what = faults.strike(point, being.name);
    return new Promise((resolve, reject) => {
      if (what === 'before') return void world.after(1, being, () => reject(new Error('The checkpoint store failed.')));
      // What was asked for is done, even if the client dies meanwhile.
      world.after(dice.fraction() * 2, world.itself, () => {
        const result = verb();
        const backMs = what === 'slow' ? 2_500 : dice.fraction();
        if (what === 'after') world.after(backMs, being, () => reject(new Error('The reply of the checkpoint store was lost.')));
        else world.after(backMs, being, () => resolve(result));
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
