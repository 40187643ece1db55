import { monotonicMs, type Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/observability.ts';
import type { Renewal, WorkRegistry } from '../ports/store.ts';
import { withTimeLimit } from './time-limit.ts';

/** What a node's own lease works with. */
export interface NodeLeaseDeps {
  readonly store: Pick<WorkRegistry, 'renew' | 'dropLease'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly nodeId: string;
  readonly leaseMs: number;
  /** These buckets have not answered for so long that others may take what this node holds there. */
  onSilent(buckets: ReadonlySet<string>): void;
  /** These answer again. */
  onAnswered(buckets: ReadonlySet<string>): void;
  /** These have lost this node's row, or what was written last: what it holds there may be another's by now. */
  onReset(buckets: ReadonlySet<string>): void;
}

/** The bucket that stands for all as long as none is known. */
const UNKNOWN = '';

/**
 * This node's sign of life: renewed in every bucket three times in a lease, and judged by the node itself, bucket by bucket and by monotonic time.
 * Where a bucket was silent for `leaseMs` it is asked once more, for a sixth of that; then others may take the node for gone, and it is told.
 */
export class NodeLease {
  readonly #deps: NodeLeaseDeps;
  #beat = 0;
  /** The last beat that was answered in all buckets. */
  #confirmed = 0;
  /** By bucket: when the newest renewal was asked for that was answered there. */
  readonly #answered = new Map<string, number>();
  readonly #silent = new Set<string>();
  #turnedAt = Number.NaN;
  #timer: unknown;
  #round: Promise<void> = Promise.resolve();
  #isFailing = false;
  #closed = false;

  constructor(deps: NodeLeaseDeps) {
    this.#deps = deps;
  }

  /** Begins to renew, in a later turn. */
  start(): void {
    this.#answered.set(UNKNOWN, monotonicMs(this.#deps.clock));
    this.#turnedAt = monotonicMs(this.#deps.clock);
    this.#arm(0);
  }

  /** Stops renewing and drops the rows: a node that holds nothing any more need not be waited for. Never rejects. */
  async close(): Promise<void> {
    const { store, nodeId: node, clock } = this.#deps;
    this.#closed = true;
    clock.clearTimeout(this.#timer);
    await this.#round;
    if (this.#beat === 0 || this.#silent.size > 0) return;
    const rows = [...this.#answered.keys()].map((bucket) => ({ bucket, node, beat: this.#beat }));
    // Whatever is not dropped, others drop when it is over.
    await withTimeLimit(this.#deps, this.#intervalMs, Promise.allSettled(rows.map((row) => store.dropLease(row)))).catch(() => undefined);
  }

  get #intervalMs(): number {
    return Math.max(1, Math.floor(this.#deps.leaseMs / 3));
  }

  #arm(ms: number): void {
    if (this.#closed) return;
    this.#timer = this.#deps.clock.setTimeout(() => {
      const begun = monotonicMs(this.#deps.clock);
      this.#noteTurn(begun);
      this.#round = this.#renewAndJudge().finally(() => {
        const took = monotonicMs(this.#deps.clock) - begun;
        this.#turnedAt = begun + took;
        this.#arm(Math.max(1, this.#intervalMs - took));
      });
    }, ms);
  }

  #noteTurn(now: number): void {
    const { leaseMs, logger, nodeId } = this.#deps;
    const stoodMs = Math.round(now - this.#turnedAt);
    if (stoodMs <= leaseMs) return;
    logger.warn('This process stood still for longer than a lease: other nodes may have taken its work.', { nodeId, stoodMs, leaseMs });
  }

  async #renewAndJudge(): Promise<void> {
    await this.#renew(this.#intervalMs);
    if (this.#overdue().length === 0 || this.#closed) return;
    await this.#renew(Math.max(1, Math.floor(this.#deps.leaseMs / 6)));
    const silent = new Set(this.#overdue());
    for (const bucket of silent) this.#silent.add(bucket);
    if (silent.size > 0) this.#deps.onSilent(silent);
  }

  /** Asks in all buckets, and waits so long for the answer. One that comes later counts too, from when it was asked for. */
  async #renew(limitMs: number): Promise<void> {
    const { store, nodeId, clock, logger } = this.#deps;
    const asked = monotonicMs(clock);
    const beat = ++this.#beat;
    try {
      const renewed = store.renew(nodeId, this.#confirmed, beat).then((renewals) => this.#note(renewals, asked, beat));
      await withTimeLimit(this.#deps, limitMs, renewed);
      this.#isFailing = false;
    } catch (error) {
      // Said once for each outage.
      if (!this.#isFailing) logger.warn('This node’s lease could not be renewed; it is tried again.', { nodeId, error });
      this.#isFailing = true;
    }
  }

  #note(renewals: readonly Renewal[], asked: number, beat: number): void {
    const answered = renewals.filter(({ outcome }) => outcome !== 'unanswered').map(({ bucket }) => bucket);
    for (const { bucket } of renewals) {
      // One that never answered is silent since it was first asked.
      if (!this.#answered.has(bucket)) this.#answered.set(bucket, this.#answered.get(UNKNOWN) ?? asked);
    }
    if (renewals.length > 0 && !renewals.some(({ bucket }) => bucket === UNKNOWN)) this.#answered.delete(UNKNOWN);
    for (const bucket of answered) this.#answered.set(bucket, Math.max(this.#answered.get(bucket) ?? asked, asked));
    if (renewals.length > 0 && answered.length === renewals.length) this.#confirmed = Math.max(this.#confirmed, beat);
    const reset = new Set(renewals.filter(({ outcome }) => outcome === 'reset').map(({ bucket }) => bucket));
    if (this.#closed) return;
    if (reset.size > 0) this.#deps.onReset(reset);
    const back = new Set(answered.filter((bucket) => this.#silent.delete(bucket)));
    if (answered.length > 0 && this.#silent.delete(UNKNOWN)) back.add(UNKNOWN);
    if (back.size > 0) this.#deps.onAnswered(back);
  }

  /** Buckets that have not answered for a whole lease, and of which nobody was told. */
  #overdue(): string[] {
    const now = monotonicMs(this.#deps.clock);
    return [...this.#answered]
      .filter(([bucket, at]) => !this.#silent.has(bucket) && now - at >= this.#deps.leaseMs)
      .map(([bucket]) => bucket);
  }
}
