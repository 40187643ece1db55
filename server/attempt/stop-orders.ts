import type { AttemptRef } from '../ports/executor.ts';
import { executorOf, pauseMs, type ReconcileDeps } from './reconcile-step.ts';
import type { RunningAttempt } from './running-attempts.ts';

/** A run that is to stop, of whichever attempt. */
export type StoppedRun = Pick<RunningAttempt, 'taskId' | 'attempt' | 'taskType'>;

/** What orders to stop are given with. */
export type StopOrdersDeps = Pick<ReconcileDeps, 'executors' | 'call' | 'clock' | 'logger' | 'settings'>;

/** An order that its executor has not heard yet. */
interface OpenOrder {
  readonly run: StoppedRun;
  failures: number;
  /** Undefined while it is being given. */
  timer: unknown;
  giving: Promise<void>;
}

/**
 * Has executors stop runs that no longer count. Nothing else on this node remembers them, so that an order which its executor failed is given again, with rests
 * between, until the executor has heard it, the same attempt is started anew, or this node closes.
 */
export class StopOrders {
  readonly #deps: StopOrdersDeps;
  /** By task and attempt. */
  readonly #orders = new Map<string, OpenOrder>();
  #closed = false;

  constructor(deps: StopOrdersDeps) {
    this.#deps = deps;
  }

  /** Gives an order, and resolves when its executor was asked once. Never rejects. */
  give(run: StoppedRun): Promise<void> {
    const key = keyOf(run);
    const failures = this.#orders.get(key)?.failures ?? 0;
    this.#drop(key);
    const order: OpenOrder = { run, failures, timer: undefined, giving: Promise.resolve() };
    this.#orders.set(key, order);
    return (order.giving = this.#give(order));
  }

  /** An attempt is about to be started again: what runs of it counts. Resolves when no order to stop it is on its way any more; undefined for none. */
  withdraw(run: AttemptRef): Promise<void> | undefined {
    const key = keyOf(run);
    const order = this.#orders.get(key);
    this.#drop(key);
    return order?.giving;
  }

  /** Gives none again: this node closes. */
  close(): void {
    this.#closed = true;
    for (const key of this.#orders.keys()) this.#drop(key);
  }

  async #give(order: OpenOrder): Promise<void> {
    const { call, logger, clock } = this.#deps;
    const { taskId, attempt, taskType } = order.run;
    const key = keyOf(order.run);
    const executor = executorOf(this.#deps, taskType);
    try {
      if (executor) await call(executor, () => executor.cancel({ taskId, attempt }, { why: 'fenced' }));
      if (this.#orders.get(key) === order) this.#orders.delete(key);
    } catch (error) {
      // The close of its executor tells it.
      if (this.#closed) return;
      if (order.failures === 0)
        logger.warn('A run that no longer counts could not be told to stop; it is told again until it hears.', { taskId, attempt, error });
      if (this.#orders.get(key) !== order) return;
      order.timer = clock.setTimeout(
        () => {
          order.timer = undefined;
          order.giving = this.#give(order);
        },
        pauseMs(this.#deps, order.failures),
      );
      order.failures += 1;
    }
  }

  #drop(key: string): void {
    const order = this.#orders.get(key);
    if (!order) return;
    this.#deps.clock.clearTimeout(order.timer);
    this.#orders.delete(key);
  }
}

function keyOf({ taskId, attempt }: AttemptRef): string {
  return `${taskId} ${attempt}`;
}
