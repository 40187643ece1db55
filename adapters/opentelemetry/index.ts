/**
 * What a server tells of itself, and of each task, for OpenTelemetry. Needs the package `@opentelemetry/api`; without an SDK that is registered nothing is
 * recorded.
 *
 * @packageDocumentation
 */
export { openTelemetryMetrics, type OpenTelemetryMetricsOptions } from './open-telemetry-metrics.ts';
export { openTelemetryTracer, withTraceContext, type OpenTelemetryTracerOptions } from './open-telemetry-tracer.ts';
