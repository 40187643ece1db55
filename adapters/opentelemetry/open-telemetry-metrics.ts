import { metrics, type Counter, type Gauge, type Histogram, type Meter } from '@opentelemetry/api';
import { metricsTable, type MetricsSink } from '../../server/observability/index.ts';

/** Options of {@link openTelemetryMetrics}. */
export interface OpenTelemetryMetricsOptions {
  /** Defaults to `metrics.getMeter('taskbridge')` of the SDK that is registered by now: register it before. */
  readonly meter?: Meter;
  /** What their names begin with. Defaults to `taskbridge_`, so that the dashboard and the rules of `docs/monitoring` fit what a Prometheus exporter makes of them. */
  readonly prefix?: string;
}

const minute = 60;
const hour = 60 * minute;
/** Bounds of the buckets, where a view of the SDK sets no others, in seconds. */
const fine = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];
const coarse = [0.05, 0.25, 1, 5, 15, minute, 5 * minute, 15 * minute, hour, 4 * hour, 24 * hour];
const isFine = (name: string): boolean => name === 'store_write_seconds' || name === 'delivery_lag_seconds';

/** Makes a sink for `createTaskBridge({ metrics })` and `createTaskReporter({ metrics })`, with an instrument for every metric of `metricsTable`. */
export function openTelemetryMetrics({
  meter = metrics.getMeter('taskbridge'),
  prefix = 'taskbridge_',
}: OpenTelemetryMetricsOptions = {}): Required<MetricsSink> {
  const counters = new Map<string, Counter>();
  const gauges = new Map<string, Gauge>();
  const histograms = new Map<string, Histogram>();
  for (const [name, { kind, meaning: description }] of Object.entries(metricsTable)) {
    const unit = name.endsWith('_seconds') ? 's' : name.endsWith('_bytes') ? 'By' : '1';
    const about = { description, unit };
    if (kind === 'counter') counters.set(name, meter.createCounter(prefix + name, about));
    else if (kind === 'gauge') gauges.set(name, meter.createGauge(prefix + name, about));
    else
      histograms.set(
        name,
        meter.createHistogram(prefix + name, { ...about, advice: { explicitBucketBoundaries: [...(isFine(name) ? fine : coarse)] } }),
      );
  }
  return {
    incrementCounter: (name, value = 1, tags = {}) => counters.get(name)?.add(value, tags),
    setGauge: (name, value, tags = {}) => gauges.get(name)?.record(value, tags),
    observeHistogram: (name, value, tags = {}) => histograms.get(name)?.record(value, tags),
  };
}
