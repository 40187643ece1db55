import type { Redis } from 'ioredis';
import { activityTask } from '../../../adapters/temporal/activities/index.ts';
import type { AttemptRef, TaskReporter } from '../../../server/reporter/index.ts';
import { BareTask } from '../bare/commit.ts';
import { factPayload } from '../system.ts';

/** Hears of what activities do: when one begins, and what came of it. */
export interface ActivityEvents {
  began(key: string): void;
  ended(key: string, facts: number, ms: number): void;
}

/** Activities that report facts for a while, each fact awaited: by our reporter, or by the smallest commit. */
export function activitiesOf(reporter: TaskReporter, redis: Redis, events: ActivityEvents) {
  const during = async (key: string, ms: number, report: (n: number) => Promise<unknown>): Promise<void> => {
    events.began(key);
    const begun = performance.now();
    let facts = 0;
    while (performance.now() - begun < ms) await report((facts += 1));
    events.ended(key, facts, performance.now() - begun);
  };
  return {
    reportOurs(ref: AttemptRef, key: string, ms: number): Promise<void> {
      const task = activityTask(reporter, ref);
      return during(key, ms, (n) => {
        const { progress, ...about } = factPayload(n);
        return task.progress(progress, about);
      });
    },
    reportBare(key: string, ms: number): Promise<void> {
      const task = new BareTask(redis);
      return during(key, ms, () => task.commit(1));
    },
  };
}
