import { context, metrics, propagation, trace } from '@opentelemetry/api';
import { NodeTracerProvider, SimpleSpanProcessor, type ReadableSpan, type SpanExporter } from '@opentelemetry/sdk-trace-node';

/** What a test looks at of a span that has ended. */
export interface ToldSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string | undefined;
  /** Traces that it is linked to. */
  readonly links: readonly string[];
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly error: string | undefined;
  readonly ms: number;
}

/** Tells of every span that has ended, at once. */
function tellingExporter(tell: (span: ToldSpan) => void): SpanExporter {
  return {
    export(spans, done) {
      for (const span of spans) tell(toldOf(span));
      done({ code: 0 });
    },
    shutdown: () => Promise.resolve(),
  };
}

function toldOf(span: ReadableSpan): ToldSpan {
  const { traceId, spanId } = span.spanContext();
  return {
    name: span.name,
    traceId,
    spanId,
    parentId: span.parentSpanContext?.spanId,
    links: span.links.map((link) => link.context.traceId),
    attributes: { ...span.attributes },
    error: span.status.message,
    ms: span.duration[0] * 1000 + span.duration[1] / 1e6,
  };
}

/** Registers a provider that tells of every span that has ended, at once. */
export function registerTelling(tell: (span: ToldSpan) => void): void {
  new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(tellingExporter(tell))] }).register();
}

/** Takes back all that was registered: nobody records any more. */
export function forgetRegistered(): void {
  for (const api of [trace, context, propagation, metrics]) api.disable();
}
