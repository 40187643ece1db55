/**
 * What a server tells of itself, for Prometheus. Needs the package `prom-client`.
 *
 * @packageDocumentation
 */
export { prometheusMetrics, type PrometheusMetricsOptions } from './prometheus-metrics.ts';
