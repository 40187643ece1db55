import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { metricsTable, type MetricsSink } from '../../server/observability/index.ts';

/** Options of {@link prometheusMetrics}. */
export interface PrometheusMetricsOptions {
  /** Where the metrics are registered; what the host answers its scrapes from. Two sinks of one registry need two prefixes. */
  readonly registry: Registry;
  /** What their names begin with. Defaults to `taskbridge_`. */
  readonly prefix?: string;
  /**
   * Upper bounds of the histograms' buckets, in seconds, by their names without the prefix. Default to 1 ms to 10 s for `store_write_seconds` and
   * `delivery_lag_seconds`, to 50 ms to a day for those of tasks, and to a second to a week for questions.
   */
  readonly buckets?: Readonly<Partial<Record<HistogramName, readonly number[]>>>;
}

type Table = typeof metricsTable;
/** The names of the distributions that a server tells of. */
type HistogramName = { [K in keyof Table]: Table[K]['kind'] extends 'histogram' ? K : never }[keyof Table];

const defaultBuckets: Readonly<Record<HistogramName, readonly number[]>> = {
  store_write_seconds: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
  delivery_lag_seconds: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
  run_seconds: [0.05, 0.25, 1, 5, 15, 60, 300, 900, 3600, 14_400, 86_400],
  question_seconds: [1, 5, 15, 60, 300, 900, 3600, 14_400, 86_400, 604_800],
  task_start_seconds: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600],
  task_end_seconds: [0.05, 0.25, 1, 5, 15, 60, 300, 900, 3600, 14_400, 86_400],
};

/**
 * Makes a sink for `createTaskBridge({ metrics })` and `createTaskReporter({ metrics })` that registers every metric of `metricsTable` at once, so that a
 * scrape shows what has not happened yet, too. Throws where the registry has a metric of such a name.
 */
export function prometheusMetrics({ registry, prefix = 'taskbridge_', buckets = {} }: PrometheusMetricsOptions): Required<MetricsSink> {
  const counters = new Map<string, Counter>();
  const gauges = new Map<string, Gauge>();
  const histograms = new Map<string, Histogram>();
  for (const [name, { kind, tags, meaning }] of Object.entries(metricsTable)) {
    const about = { name: prefix + name, help: meaning, labelNames: [...tags], registers: [registry] };
    if (kind === 'counter') counters.set(name, new Counter(about));
    else if (kind === 'gauge') gauges.set(name, new Gauge(about));
    else histograms.set(name, new Histogram({ ...about, buckets: [...bucketsOf(name as HistogramName)] }));
  }

  function bucketsOf(name: HistogramName): readonly number[] {
    return buckets[name] ?? defaultBuckets[name];
  }

  return {
    incrementCounter: (name, value = 1, tags = {}) => counters.get(name)?.inc(tags, value),
    setGauge: (name, value, tags = {}) => gauges.get(name)?.set(tags, value),
    observeHistogram: (name, value, tags = {}) => histograms.get(name)?.observe(tags, value),
  };
}
