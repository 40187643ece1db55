import type { Clock } from '../ports/clock.ts';
import type { MetricsSink } from '../ports/observability.ts';
import type { MetricName } from './metrics-table.ts';

/** What one gauge shows now. */
export interface Gauged {
  readonly name: MetricName;
  readonly tags: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What the gauges are set with. */
export interface GaugeSamplerDeps {
  readonly metrics: MetricsSink;
  readonly clock: Clock;
  /** How often they are set, in milliseconds. */
  readonly everyMs: number;
  /** What there is to show now; what was shown before and is not there any more is 0. */
  look(): Iterable<Gauged>;
}

/** Sets the gauges of what this process holds, from time to time: what rises and falls with each fact is looked at, and costs that fact nothing. */
export class GaugeSampler {
  readonly #deps: GaugeSamplerDeps;
  #shown = new Map<string, Gauged>();
  #timer: unknown;

  constructor(deps: GaugeSamplerDeps) {
    this.#deps = deps;
  }

  /** Sets them now, and again and again until it is closed. */
  start(): void {
    this.#sample();
    this.#timer = this.#deps.clock.setTimeout(() => this.start(), this.#deps.everyMs);
  }

  /** Sets them once more, and ends it. Does nothing where it was not started. */
  close(): void {
    if (this.#timer === undefined) return;
    this.#deps.clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#sample();
  }

  #sample(): void {
    const seen = new Map<string, Gauged>();
    for (const gauged of this.#deps.look()) seen.set(`${gauged.name} ${Object.values(gauged.tags).join(' ')}`, gauged);
    for (const { name, tags, value } of seen.values()) this.#deps.metrics.setGauge(name, value, tags);
    for (const [key, { name, tags }] of this.#shown) if (!seen.has(key)) this.#deps.metrics.setGauge(name, 0, tags);
    this.#shown = seen;
  }
}
