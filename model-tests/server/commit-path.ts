import type { Intent } from '../../machines/index.ts';
import { systemChance, systemClock, TaskBridgeError, type Logger, type Store } from '../../server/index.ts';
import { CommandProcessor } from '../../server/task/command-processor.ts';
import { taskSettings, type TaskSettings } from '../../server/task/settings.ts';
import { storeClock } from '../../server/task/store-clock.ts';

/** The commit path of a node by itself, without a door: it decides whatever is wished. */
export function commandProcessorOn(
  store: Store,
  { settings = {}, logger = console }: { readonly settings?: Partial<TaskSettings>; readonly logger?: Logger } = {},
): CommandProcessor {
  const time = storeClock(store, systemClock);
  const deps = { store, clock: systemClock, time, chance: systemChance, logger, settings: taskSettings(settings) };
  return new CommandProcessor(deps);
}

/** The same for one intent after the other. Says `taken`, or why not. */
export function commitPathOn(store: Store): (taskId: string, intent: Intent) => Promise<string> {
  const processor = commandProcessorOn(store);
  return async (taskId, intent) => {
    try {
      return (await processor.execute(taskId, { decide: (unit) => unit.decide(intent).refusal })) ?? 'taken';
    } catch (error) {
      if (error instanceof TaskBridgeError) return error.code;
      throw error;
    }
  };
}
