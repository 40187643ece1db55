import { metricsSink } from '../observability/metrics-sink.ts';
import { tellHost } from '../ports/host-sink.ts';
import type { Logger, MetricsSink, TransportDiagnosticsSink } from '../ports/observability.ts';

/** What a host may give to observe the streams. */
export interface Instrumentation {
  readonly diagnostics: TransportDiagnosticsSink | undefined;
  readonly metrics: MetricsSink | undefined;
}

/** The same instrumentation, but one that throws or rejects is logged and touches nobody. */
export function guardedInstrumentation({
  diagnostics,
  metrics,
  logger,
}: Instrumentation & { readonly logger: Logger | undefined }): Instrumentation {
  const failed = (error: unknown): void => logger?.error('A sink of the host failed.', { error });
  const guard = (call: () => unknown): void => tellHost(call, failed);
  return {
    metrics: metrics && metricsSink(metrics, logger),
    diagnostics: diagnostics && {
      onReplayStart: (...args) => guard(() => diagnostics.onReplayStart?.(...args)),
      onHeartbeat: (...args) => guard(() => diagnostics.onHeartbeat?.(...args)),
      // Once a fact and viewer: absent where the host has none.
      ...(diagnostics.onDelivery && {
        onDelivery: (...args: Parameters<NonNullable<TransportDiagnosticsSink['onDelivery']>>) =>
          guard(() => diagnostics.onDelivery?.(...args)),
      }),
      onDisconnect: (...args) => guard(() => diagnostics.onDisconnect?.(...args)),
    },
  };
}
