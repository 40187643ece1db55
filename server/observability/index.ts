/**
 * What a host watches its server with: the names of metrics and records, and probes for `GET /ready`.
 *
 * @packageDocumentation
 */
export type {
  Logger,
  MetricsSink,
  ReadinessAnswer,
  ReadinessDetails,
  ReadinessProbe,
  TransportDiagnosticsSink,
  TransportName,
} from '../ports/observability.ts';
export { attachmentsProbe, type AttachmentsProbeOptions } from './attachments-probe.ts';
export { eventLoopProbe, type EventLoopProbeOptions } from './event-loop-probe.ts';
export { compositeProbe, type CompositeProbeOptions } from './composite-probe.ts';
export { executorProbe, type ExecutorProbeOptions } from './executor-probe.ts';
export type { Span, SpanEnd, SpanName, SpanStart, TraceContext, Tracer } from '../ports/tracing.ts';
export { REDACTED, redactDefaults } from '../ports/redaction.ts';
export { redactedLogger } from './redacted-logger.ts';
export { metricsTable, type Metric, type MetricName } from './metrics-table.ts';
export { recordsTable, type RecordFields, type RecordMeaning, type RecordName, type RecordSource } from './records-table.ts';
