import type { TransportName } from '../../machines/wire/index.ts';

export type { TransportName };

/** How somebody watches a task: over a transport of the wire, or inside the host's own process. */
export type ViewerTransport = TransportName | 'internal';

/** Counts what happens. `metricsTable` says under which names and tags, and what each means. A sink that throws or rejects touches nobody. */
export interface MetricsSink {
  incrementCounter(name: string, value?: number, tags?: Readonly<Record<string, string>>): void;
  setGauge(name: string, value: number, tags?: Readonly<Record<string, string>>): void;
  /** One more value of a distribution, in the unit that its name ends with. A sink without it is told of none. */
  observeHistogram?(name: string, value: number, tags?: Readonly<Record<string, string>>): void;
}

/** Watches the streams. */
export interface TransportDiagnosticsSink {
  onReplayStart?(transport: ViewerTransport, taskId: string, afterEventId: string | null): void;
  onHeartbeat?(transport: ViewerTransport, taskId: string): void;
  onDelivery?(transport: ViewerTransport, taskId: string, eventId: string): void;
  onDisconnect?(transport: ViewerTransport, taskId: string): void;
}

/** What a probe tells the world of its part: parts of a composite have details of their own. */
export interface ReadinessDetails {
  readonly [name: string]: string | number | boolean | ReadinessDetails;
}

/** What a probe found. */
export interface ReadinessAnswer {
  readonly ready: boolean;
  /** Answered to anybody who asks: no text of errors, no names of machines. */
  readonly details?: ReadinessDetails;
  /** Why it is not ready. Goes to the logger, never into an answer. */
  readonly reason?: unknown;
}

/** Answers one part of `GET /ready`. A throw is an answer too: not ready, with what was thrown as the reason. */
export interface ReadinessProbe {
  check(): Promise<ReadinessAnswer>;
}

/**
 * Told of what a person should look at, failures that were survived, and, where it has `info` and `debug`, of what happens: one record for each
 * message of `recordsTable`. Never given payloads.
 */
export interface Logger {
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
  info?(message: string, fields?: Readonly<Record<string, unknown>>): void;
  debug?(message: string, fields?: Readonly<Record<string, unknown>>): void;
  /** Asked before a record is built. Where it is missing, each level that is there is on. */
  isLevelEnabled?(level: 'info' | 'debug'): boolean;
}
