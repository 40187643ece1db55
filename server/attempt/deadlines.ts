import { wakeTime } from '../task/plan.ts';
import type { TaskRecord } from '../task/task-record.ts';
import type { ReconcileDeps, ReconcileResult } from './reconcile-step.ts';
import { deadlineSteps } from './steps.ts';

/** A task whose visit waits for an executor. */
interface Asking {
  readonly result: ReconcileResult;
  /** Its deadlines are kept at the moment. */
  keeping: Promise<void> | undefined;
}

/** Keeps the deadlines of tasks whose visit waits for an executor: they need the store only. */
export class Deadlines {
  readonly #deps: () => ReconcileDeps;
  readonly #asking = new Map<string, Asking>();

  constructor(deps: () => ReconcileDeps) {
    this.#deps = deps;
  }

  /** Waits for an executor, and keeps meanwhile what falls due: a look was shown the task already, and hides it from all others. */
  async whileAsking<T>(state: TaskRecord, result: ReconcileResult, ask: () => Promise<T>): Promise<T> {
    const { clock, time, settings } = this.#deps();
    const { taskId } = state.about;
    const wakeAt = wakeTime(state, settings);
    const ms = wakeAt === null ? Infinity : Math.max(1, wakeAt - time.now());
    const timer = ms <= settings.executorTimeoutMs ? clock.setTimeout(() => this.keep(taskId), ms) : undefined;
    this.#asking.set(taskId, { result, keeping: undefined });
    try {
      return await ask();
    } finally {
      this.#asking.delete(taskId);
      if (timer !== undefined) clock.clearTimeout(timer);
    }
  }

  /** Keeps them now, where the visit waits. Never rejects: what fails is done when the executor has answered. */
  keep(taskId: string): void {
    const asking = this.#asking.get(taskId);
    if (!asking) return;
    asking.keeping ??= this.#keepAll(taskId, asking.result)
      .catch(() => undefined)
      .finally(() => (asking.keeping = undefined));
  }

  async #keepAll(taskId: string, result: ReconcileResult): Promise<void> {
    const deps = this.#deps();
    for (const step of deadlineSteps) await step(await deps.processor.read(taskId), deps, result);
  }
}
