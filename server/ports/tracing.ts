/** Where something stands in a trace, as W3C Trace Context has it in headers. */
export interface TraceContext {
  /** `00-<trace id>-<span id>-<flags>`, checked. */
  readonly traceparent: string;
  /** What vendors add, at most 512 characters. */
  readonly tracestate?: string;
}

/** The spans that a server makes. */
export type SpanName =
  /** A create, from its check until its start is known. */
  | 'taskbridge.create'
  /** One commit of a task, from the store's call to its answer. */
  | 'taskbridge.commit'
  /** One attempt: the run of its work in a process, or the start of what an outside system runs. One that was lost is told by whoever took it. */
  | 'taskbridge.attempt'
  /** A question, from when it was asked until it was answered, expired or was withdrawn. */
  | 'taskbridge.question'
  /** The end of a task, from its commit until a viewer or a waiting poll was handed it. */
  | 'taskbridge.delivery'
  /** A viewer, from when it came until it is gone: a trace of its own, linked to that of its task. */
  | 'taskbridge.subscription';

/** How a span begins. */
export interface SpanStart {
  /** What it hangs beneath. */
  readonly parent?: TraceContext | undefined;
  /** Begins a trace of its own, linked to this. */
  readonly link?: TraceContext | undefined;
  /** When, in milliseconds since the epoch. Defaults to now. */
  readonly at?: number | undefined;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
}

/** How a span ends. */
export interface SpanEnd {
  /** When, in milliseconds since the epoch. Defaults to now. */
  readonly at?: number | undefined;
  /** What went wrong: a code or a word of a closed set, never a text of people. */
  readonly error?: string | undefined;
  readonly attributes?: Readonly<Record<string, string | number | boolean>>;
}

/** One span. No verb throws; one that is ended twice is ended once. */
export interface Span {
  /** By which others hang beneath it; undefined where nobody records. */
  readonly context: TraceContext | undefined;
  /** Does something beneath it: what it calls finds the span where the tracer's library looks for it. */
  run<T>(work: () => T): T;
  end(end?: SpanEnd): void;
}

/** Follows tasks. One that throws touches nobody, and is logged. */
export interface Tracer {
  startSpan(name: SpanName, start: SpanStart): Span;
}
