import type { TransportName } from '../../machines/wire/index.ts';

export type { TransportName };

/** How somebody watches a task: over a transport of the wire, or inside the host's own process. */
export type ViewerTransport = TransportName | 'internal';

/** Counts what happens. Names are the original's where it has them. */
export interface MetricsSink {
  incrementCounter(name: string, value?: number, tags?: Readonly<Record<string, string>>): void;
  setGauge(name: string, value: number, tags?: Readonly<Record<string, string>>): void;
}

/** Watches the streams. */
export interface TransportDiagnosticsSink {
  onReplayStart?(transport: ViewerTransport, taskId: string, afterEventId: string | null): void;
  onHeartbeat?(transport: ViewerTransport, taskId: string): void;
  onDelivery?(transport: ViewerTransport, taskId: string, eventId: string): void;
  onDisconnect?(transport: ViewerTransport, taskId: string): void;
}

/** Answers one part of `GET /ready`. */
export interface ReadinessProbe {
  check(): Promise<{ readonly ready: boolean; readonly details?: Readonly<Record<string, string | number | boolean>> }>;
}

/** Told of what a person should look at: failures that were survived. Never given payloads. */
export interface Logger {
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}
