import type { Clock } from '../ports/clock.ts';
import type { Logger, MetricsSink } from '../ports/observability.ts';
import type { Store } from '../ports/store.ts';
import { EventLoopMonitor } from './event-loop-monitor.ts';
import { GaugeSampler, type Gauged } from './gauge-sampler.ts';
import { StoredTasks } from './stored-tasks.ts';
import { metricsSink } from './metrics-sink.ts';

/** What the gauges of a process are made of. */
export interface ProcessGaugesDeps {
  readonly hub: { gauges(): Iterable<Gauged> };
  readonly core: { gauges(): Iterable<Gauged> };
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Sets the gauges of a process from its start to its end. */
export interface ProcessGauges {
  start(): void;
  close(): void;
}

/** How often gauges are set where the host says nothing, in milliseconds. */
export const METRICS_EVERY_MS = 5000;
/** Looks at this process from one count of all tasks to the next: that goes through the whole store. */
const LOOKS_A_COUNT = 12;

/** What a host says of them. */
export interface ProcessGaugesOptions {
  readonly store: Pick<Store, 'counts'>;
  readonly metrics?: MetricsSink | undefined;
  /** Defaults to 5000. */
  readonly metricsEveryMs?: number | undefined;
}

/** The gauges of what this process holds, and of its event loop; undefined where nobody is told of them. */
export function processGauges(
  { store, metrics, metricsEveryMs: everyMs = METRICS_EVERY_MS }: ProcessGaugesOptions,
  { hub, core, clock, logger }: ProcessGaugesDeps,
): ProcessGauges | undefined {
  if (!metrics) return undefined;
  const loop = new EventLoopMonitor(clock);
  const tasks = new StoredTasks({ store, clock, logger, everyMs: everyMs * LOOKS_A_COUNT });
  function* look(): Generator<Gauged> {
    yield* hub.gauges();
    yield* core.gauges();
    yield* tasks.gauges();
    const { meanMs, maxMs } = loop.take();
    yield { name: 'event_loop_delay_seconds', tags: { statistic: 'mean' }, value: meanMs / 1000 };
    yield { name: 'event_loop_delay_seconds', tags: { statistic: 'max' }, value: maxMs / 1000 };
  }
  const sampler = new GaugeSampler({ metrics: metricsSink(metrics, logger), clock, everyMs, look });
  return {
    start() {
      loop.start();
      sampler.start();
    },
    close() {
      sampler.close();
      loop.close();
    },
  };
}
