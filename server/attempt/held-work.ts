import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/observability.ts';
import type { Lease, WorkRegistry } from '../ports/store.ts';
import { withTimeLimit } from './time-limit.ts';

/** What the comparison of held work works with. */
export interface HeldWorkDeps {
  readonly store: Pick<WorkRegistry, 'leases' | 'held'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly nodeId: string;
  readonly leaseMs: number;
  /** True where the work of a task runs here. */
  isRunning(taskId: string): boolean;
  /** Looks after a task that the store says is held here, and that does not run here. */
  visit(taskId: string): void;
}

/** Tasks that are read at once. */
const PAGE = 100;

/**
 * Compares, once in a lease, what the store says that this node holds with what runs here. A store that lost a moment of its history says so of
 * work that has ended since; nobody else would look after it, for this node lives.
 */
export class HeldWork {
  readonly #deps: HeldWorkDeps;
  #timer: unknown;
  #comparing: Promise<void> | undefined;
  #closed = false;

  constructor(deps: HeldWorkDeps) {
    this.#deps = deps;
  }

  /** Begins to compare, a lease from now. */
  start(): void {
    this.#arm();
  }

  /** Compares now: what the store says may be older than what it said before. Never rejects. */
  compare(): Promise<void> {
    this.#comparing ??= this.#compareAll().finally(() => (this.#comparing = undefined));
    return this.#comparing;
  }

  /** Ends it; resolves when nothing is read any more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#deps.clock.clearTimeout(this.#timer);
    await this.#comparing;
  }

  #arm(): void {
    this.#timer = this.#deps.clock.setTimeout(() => {
      void this.compare().then(() => {
        if (!this.#closed) this.#arm();
      });
    }, this.#deps.leaseMs);
  }

  async #compareAll(): Promise<void> {
    const { store, nodeId, logger } = this.#deps;
    try {
      const own = (await this.#soon(store.leases())).filter(({ node }) => node === nodeId);
      for (const lease of own) await this.#compareBucket(lease);
    } catch (error) {
      if (!this.#closed) logger.warn('What this node holds could not be compared with the store; it is tried again.', { nodeId, error });
    }
  }

  async #compareBucket(lease: Lease): Promise<void> {
    const { store, isRunning, visit } = this.#deps;
    let after: string | undefined;
    do {
      if (this.#closed) return;
      const page = await this.#soon(store.held(lease, PAGE, after));
      for (const taskId of page.taskIds) if (!isRunning(taskId)) visit(taskId);
      after = page.next;
    } while (after !== undefined);
  }
  /** A store that does not answer is asked again a lease later. */
  #soon<T>(answer: Promise<T>): Promise<T> {
    return withTimeLimit(this.#deps, Math.max(1, Math.floor(this.#deps.leaseMs / 2)), answer);
  }
}
