import { monotonicMs, type Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/observability.ts';
import type { WorkRegistry } from '../ports/store.ts';
import type { StoreClock } from '../task/store-clock.ts';
import type { TaskRecord } from '../task/task-record.ts';
import { DatedLeases } from './dated-leases.ts';
import { LeaseMonitor, type OverLease } from './lease-monitor.ts';
import { namedTasks } from './task-list.ts';
import { withTimeLimit } from './time-limit.ts';

/** What the search for lost nodes works with. */
export interface LostNodesDeps {
  readonly store: Pick<WorkRegistry, 'leases' | 'held' | 'dropLease'> & { readonly exclusive: boolean };
  readonly clock: Clock;
  readonly time: StoreClock;
  readonly logger: Logger;
  readonly nodeId: string;
  readonly leaseMs: number;
  /** Gives up one task that the node of a lease holds, while that lease stands; true where it did. */
  giveUp(taskId: string, over: OverLease): Promise<boolean>;
  /** Looks after one task. */
  visit(taskId: string): Promise<unknown>;
  /** Work was given up, and may be claimed at once. */
  onGivenUp(): void;
}

/** Tasks of a lost node that are read, and given up, at once. */
const PAGE = 100;
/** Buckets that are worked on at once. */
const BUCKETS_AT_ONCE = 4;

/** What was given up of a node. */
interface Found {
  readonly taskIds: string[];
  failed: number;
  /** One of what went wrong, for the log. */
  error?: unknown;
}

/**
 * Looks after the other nodes, six times in a lease, and gives up what is held by those that are gone: a page at a time, each task by a commit that
 * names the lease as it was seen. A node that beats once more keeps what it has.
 */
export class LostNodes {
  readonly #deps: LostNodesDeps;
  readonly #monitor: LeaseMonitor;
  readonly #dated: DatedLeases;
  readonly #taking = new Map<string, Promise<void>>();
  #timer: unknown;
  #isFailing = false;
  #closed = false;

  constructor(deps: LostNodesDeps) {
    this.#deps = deps;
    this.#monitor = new LeaseMonitor({ ...deps, exclusive: deps.store.exclusive });
    this.#dated = new DatedLeases(deps.leaseMs);
  }

  /** Begins to look, in a later turn. */
  start(): void {
    this.#arm(0);
  }

  /** Ends it; resolves when nothing is given up any more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#deps.clock.clearTimeout(this.#timer);
    await Promise.all(this.#taking.values());
  }

  /** True where the newest attempt is held by another node that is gone. */
  isLeaseOver(state: TaskRecord): boolean {
    const { store, nodeId, time, clock } = this.#deps;
    const { node, leaseUntil } = state.execution.attempt.context;
    if (node === null || node === nodeId) return false;
    if (store.exclusive) return true;
    if (leaseUntil === null) return this.#monitor.overLease(state.about.taskId, node) !== undefined;
    return this.#dated.isOver(state.about.taskId, leaseUntil, { now: time.now(), monotonic: monotonicMs(clock) });
  }

  /** The lease by which it is over, to be named by the commit that gives it up; undefined for one of a date. */
  leaseOf({ about, execution }: TaskRecord): OverLease | undefined {
    const { node, leaseUntil } = execution.attempt.context;
    return node === null || leaseUntil !== null ? undefined : this.#monitor.overLease(about.taskId, node);
  }

  /** Looks now; resolves when what was found is given up. Never rejects. */
  async look(): Promise<void> {
    const over = await this.#judge();
    const nodes = new Map<string, OverLease[]>();
    for (const each of over) nodes.set(each.lease.node, [...(nodes.get(each.lease.node) ?? []), each]);
    await Promise.all([...nodes].map(([node, leases]) => this.#take(node, leases)));
  }

  #arm(ms: number): void {
    if (this.#closed) return;
    this.#timer = this.#deps.clock.setTimeout(() => {
      // The next look does not wait for what this one has to give up: it would come late, and judge anew.
      void this.#judge().then((over) => {
        const nodes = new Set(over.map(({ lease }) => lease.node));
        for (const node of nodes)
          void this.#take(
            node,
            over.filter(({ lease }) => lease.node === node),
          );
        for (const taskId of this.#dated.ripe(monotonicMs(this.#deps.clock))) void this.#visitDated(taskId);
        this.#arm(Math.max(1, Math.floor(this.#deps.leaseMs / 6)));
      });
    }, ms);
  }

  /** One bounded look at the leases. */
  async #judge(): Promise<readonly OverLease[]> {
    const { store, clock, logger } = this.#deps;
    const asked = monotonicMs(clock);
    try {
      const leases = await this.#soon(store.leases());
      this.#isFailing = false;
      return this.#monitor.look(leases, { asked, answered: monotonicMs(clock) });
    } catch (error) {
      this.#monitor.miss();
      this.#dated.miss();
      if (!this.#isFailing && !this.#closed)
        logger.warn('The leases of other nodes could not be looked at; nobody is judged meanwhile.', { error });
      this.#isFailing = true;
      return [];
    }
  }

  /** A look at what is due shows a task to one node or another; whoever has counted long enough comes by itself. */
  async #visitDated(taskId: string): Promise<void> {
    await this.#deps.visit(taskId);
    this.#dated.forget(taskId);
  }

  #take(node: string, leases: readonly OverLease[]): Promise<void> {
    const current = this.#taking.get(node);
    if (current) return current;
    const taking = this.#giveUpAll(node, leases).finally(() => this.#taking.delete(node));
    this.#taking.set(node, taking);
    return taking;
  }

  async #giveUpAll(node: string, leases: readonly OverLease[]): Promise<void> {
    const { nodeId, logger } = this.#deps;
    const found: Found = { taskIds: [], failed: 0 };
    // Each taker begins at another bucket.
    const sorted = [...leases].sort((a, b) => (a.lease.bucket < b.lease.bucket ? -1 : 1));
    const first = sorted.findIndex(({ lease }) => lease.bucket >= nodeId.slice(0, 2));
    const inOrder = first > 0 ? [...sorted.slice(first), ...sorted.slice(0, first)] : sorted;
    for (let at = 0; at < inOrder.length && !this.#closed; at += BUCKETS_AT_ONCE) {
      await Promise.all(inOrder.slice(at, at + BUCKETS_AT_ONCE).map((over) => this.#giveUpBucket(over, found)));
    }
    if (found.taskIds.length === 0 && found.failed === 0) return;
    const silentMs = leases[0]?.silentMs;
    const { failed } = found;
    const fields = { node, ...namedTasks(found.taskIds), failed, ...(silentMs !== undefined && { silentMs: Math.round(silentMs) }) };
    logger.warn('A node is gone; the work that it held was given up, for any node to claim.', fields);
    if (failed > 0 && !this.#closed)
      logger.warn('Some of the work of a node that is gone could not be given up; it is tried again.', {
        node,
        failed,
        error: found.error,
      });
  }

  /** Never rejects: what could not be given up is found by a later look. */
  async #giveUpBucket(over: OverLease, found: Found): Promise<void> {
    const { lease } = over;
    const { store, onGivenUp } = this.#deps;
    const failedBefore = found.failed;
    try {
      let after: string | undefined;
      do {
        const page = await this.#soon(store.held(lease, PAGE, after));
        const before = found.taskIds.length;
        await Promise.all(page.taskIds.map((taskId) => this.#giveUpTask(taskId, over, found)));
        if (found.taskIds.length > before) onGivenUp();
        after = page.next;
      } while (after !== undefined && !this.#closed && this.#monitor.overLease(lease.bucket, lease.node)?.lease.beat === lease.beat);
      if (after === undefined && found.failed === failedBefore) await this.#soon(store.dropLease(lease));
    } catch (error) {
      found.failed += 1;
      found.error ??= error;
    }
  }

  /** A store that does not answer is asked again by a later look. */
  #soon<T>(answer: Promise<T>): Promise<T> {
    return withTimeLimit(this.#deps, Math.max(1, Math.floor(this.#deps.leaseMs / 2)), answer);
  }

  async #giveUpTask(taskId: string, over: OverLease, found: Found): Promise<void> {
    try {
      if (await this.#deps.giveUp(taskId, over)) found.taskIds.push(taskId);
    } catch (error) {
      found.failed += 1;
      found.error ??= error;
    }
  }
}
