/** What the workflow does in the world. Temporal runs an activity again until it is known to have happened: each is safe to repeat. */
import { activityTask } from 'taskbridge/adapters/temporal/activities';
import type { AttemptRef, TaskReporter } from 'taskbridge/server/reporter';

const LARGE = 100;
const paid = new Map<string, string>();

export function activitiesOf(reporter: TaskReporter) {
  return {
    /** Shows that an activity may report too, while it runs. */
    async check(ref: AttemptRef, amount: number): Promise<{ readonly needsApproval: boolean }> {
      const task = activityTask(reporter, ref);
      await task.message(`Checking ${amount} against the budget.`);
      return { needsApproval: amount > LARGE };
    },
    /** A real one hands the id to the bank as the key of an idempotent call. */
    pay(taskId: string, amount: number): Promise<string> {
      const receipt = paid.get(taskId) ?? `paid ${amount} for ${taskId.slice(0, 8)}`;
      paid.set(taskId, receipt);
      return Promise.resolve(receipt);
    },
  };
}
