import { tellHost } from '../ports/host-sink.ts';
import type { Logger, MetricsSink } from '../ports/observability.ts';

/** The host's sink, but one that throws or rejects is logged and touches nobody. Without one, nothing is counted. */
export function metricsSink(given: MetricsSink | undefined, logger: Logger | undefined): Required<MetricsSink> {
  if (!given) return { incrementCounter: () => undefined, setGauge: () => undefined, observeHistogram: () => undefined };
  const failed = (error: unknown): void => logger?.error('A sink of the host failed.', { error });
  return {
    incrementCounter: (...told) => tellHost(() => given.incrementCounter(...told), failed),
    setGauge: (...told) => tellHost(() => given.setGauge(...told), failed),
    observeHistogram: (...told) => tellHost(() => given.observeHistogram?.(...told), failed),
  };
}
