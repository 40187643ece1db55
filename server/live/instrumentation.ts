import type { Logger, MetricsSink, TransportDiagnosticsSink } from '../ports/observability.ts';

/** What a host may give to observe the streams. */
export interface Instrumentation {
  readonly diagnostics: TransportDiagnosticsSink | undefined;
  readonly metrics: MetricsSink | undefined;
}

/** The same instrumentation, but one that throws is logged and touches nobody. */
export function guardedInstrumentation({
  diagnostics,
  metrics,
  logger,
}: Instrumentation & { readonly logger: Logger | undefined }): Instrumentation {
  function guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      logger?.error('A sink of the host failed.', { error });
    }
  }
  return {
    metrics: metrics && {
      incrementCounter: (...args) => guard(() => metrics.incrementCounter(...args)),
      setGauge: (...args) => guard(() => metrics.setGauge(...args)),
    },
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
