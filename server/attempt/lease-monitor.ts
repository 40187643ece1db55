import type { Lease } from '../ports/store.ts';

/** When a look at the leases was asked for and answered, in milliseconds of a monotonic clock. */
export interface LookTimes {
  readonly asked: number;
  readonly answered: number;
}

/** A lease whose node is gone. */
export interface OverLease {
  readonly lease: Lease;
  /** For how long it was seen unchanged, in milliseconds; undefined where the store is exclusive, for nobody looked. */
  readonly silentMs: number | undefined;
}

/** What the monitor judges by. */
export interface LeaseMonitorDeps {
  /** This node, which is not judged here. */
  readonly nodeId: string;
  readonly leaseMs: number;
  /** True where the store belongs to this process: whoever else has a lease is gone. */
  readonly exclusive: boolean;
}

interface SeenLease extends OverLease {
  /** When it was first seen as it is. */
  readonly since: number;
  readonly isOver: boolean;
}

/**
 * Judges the other nodes by what looks at their leases show: one is over when it was seen unchanged for `leaseMs`, while every look was answered
 * and none came later than half of that after the one before. A look that is missed or late begins all of it anew: whoever could not look, or
 * the store that could not be asked, says nothing about others. Pure: rows and times go in, what is over comes out.
 */
export class LeaseMonitor {
  readonly #deps: LeaseMonitorDeps;
  #seen = new Map<string, SeenLease>();
  #answeredAt = Number.NEGATIVE_INFINITY;

  constructor(deps: LeaseMonitorDeps) {
    this.#deps = deps;
  }

  /** Takes the answer to a look: the leases of all nodes. Gives those that are over now. */
  look(leases: readonly Lease[], { asked, answered }: LookTimes): readonly OverLease[] {
    const { nodeId, leaseMs, exclusive } = this.#deps;
    if (answered - this.#answeredAt > leaseMs / 2) this.#seen.clear();
    this.#answeredAt = answered;
    const seen = new Map<string, SeenLease>();
    for (const lease of leases) {
      if (lease.node === nodeId) continue;
      const key = keyOf(lease.bucket, lease.node);
      const before = this.#seen.get(key);
      // It was so at some time between question and answer: the first time counts from its end, the last one to its beginning.
      const since = before?.lease.beat === lease.beat ? before.since : answered;
      const isOver = exclusive || asked - since >= leaseMs;
      seen.set(key, { lease, since, isOver, silentMs: exclusive ? undefined : answered - since });
    }
    // A row that is gone is forgotten: where it comes back, somebody wrote it.
    this.#seen = seen;
    return [...seen.values()].filter(({ isOver }) => isOver).map(({ lease, silentMs }) => ({ lease, silentMs }));
  }

  /** A look was not answered. */
  miss(): void {
    this.#seen.clear();
    this.#answeredAt = Number.NEGATIVE_INFINITY;
  }

  /** The lease of a node that holds this task, where it is over. */
  overLease(taskId: string, node: string): OverLease | undefined {
    const seen = this.#seen.get(keyOf(taskBucket(taskId), node)) ?? this.#seen.get(keyOf('', node));
    return seen?.isOver ? seen : undefined;
  }
}

/** The bucket of a task, where the store has buckets. */
export function taskBucket(taskId: string): string {
  return taskId.slice(0, 2);
}

function keyOf(bucket: string, node: string): string {
  return `${bucket} ${node}`;
}
