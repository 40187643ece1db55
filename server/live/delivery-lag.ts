import { parseEventId } from '../../machines/wire/index.ts';
import type { MetricsSink, ViewerTransport } from '../ports/observability.ts';
import type { Entry } from '../ports/store.ts';

/** What lags are measured with. */
export interface DeliveryLagDeps {
  readonly metrics: Required<MetricsSink>;
  /** The store's time, in milliseconds since the epoch. */
  readonly now: () => number;
}

/**
 * How long facts took from their commit until they were handed to connections. One value for each turn's facts and transport, however many viewers
 * get them: a fan-out to thousands is as cheap with it as without.
 */
export class DeliveryLag {
  readonly #deps: DeliveryLagDeps;
  readonly #measured = new Map<ViewerTransport, readonly Entry[]>();

  constructor(deps: DeliveryLagDeps) {
    this.#deps = deps;
  }

  /** A viewer that has all that was there before was handed these. Viewers that get one turn's facts get the same array. */
  note(transport: ViewerTransport, entries: readonly Entry[]): void {
    if (this.#measured.get(transport) === entries) return;
    this.#measured.set(transport, entries);
    const committedAt = parseEventId(entries[0]?.eventId ?? '')?.ms;
    if (committedAt === undefined) return;
    const { metrics, now } = this.#deps;
    metrics.observeHistogram('delivery_lag_seconds', Math.max(0, now() - committedAt) / 1000, { transport });
  }
}
