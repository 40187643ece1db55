import type { Logger, MetricsSink } from '../ports/observability.ts';

/** The host's sink, but one that throws is logged and touches nobody. Without one, nothing is counted. */
export function metricsSink(given: MetricsSink | undefined, logger: Logger): MetricsSink {
  if (!given) return { incrementCounter: () => undefined, setGauge: () => undefined };
  const guard = (count: () => void): void => {
    try {
      count();
    } catch (error) {
      logger.error('A sink of the host failed.', { error });
    }
  };
  return {
    incrementCounter: (...told) => guard(() => given.incrementCounter(...told)),
    setGauge: (...told) => guard(() => given.setGauge(...told)),
  };
}
