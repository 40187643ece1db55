import {
  context,
  createTraceState,
  INVALID_SPANID,
  isSpanContextValid,
  ROOT_CONTEXT,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Context,
  type Span as RecordedSpan,
  type SpanContext,
  type Tracer as GivenTracer,
} from '@opentelemetry/api';
import type { Span, SpanStart, TraceContext, Tracer } from '../../server/observability/index.ts';

/** Options of {@link openTelemetryTracer}. */
export interface OpenTelemetryTracerOptions {
  /** Defaults to `trace.getTracer('taskbridge')`: that of the SDK that is registered, now or later. */
  readonly tracer?: GivenTracer;
}

/**
 * Makes a tracer for `createTaskBridge({ tracer })` and `createTaskReporter({ tracer })`. A span hangs beneath what it is given; where the span that is active
 * is of that same trace, such as that of the request, beneath this. What a handler calls finds its attempt's span as the active one.
 */
export function openTelemetryTracer({ tracer = trace.getTracer('taskbridge') }: OpenTelemetryTracerOptions = {}): Tracer {
  return {
    startSpan(name, start) {
      const linked = start.link && spanContextOf(start.link);
      const options = {
        attributes: { ...start.attributes },
        ...(start.at !== undefined && { startTime: start.at }),
        ...(linked && { links: [{ context: linked }] }),
      };
      const within = start.link ? ROOT_CONTEXT : parentOf(start);
      const span = tracer.startSpan(name, options, within);
      return wrapped(span, trace.setSpan(within, span));
    },
  };
}

/**
 * Does work elsewhere beneath its attempt: spans that are begun in it hang there, and what is called from it is sent that context. `traceContext` is the one of the work, as its
 * executor, its task or its workflow has it; without one it is only done.
 */
export function withTraceContext<T>(traceContext: TraceContext | undefined, work: () => T): T {
  const given = traceContext && spanContextOf(traceContext);
  return given ? context.with(trace.setSpanContext(context.active(), given), work) : work();
}

/** Where a span hangs: beneath what is active where nothing else is said. */
function parentOf({ parent }: SpanStart): Context {
  const active = context.active();
  const given = parent && spanContextOf(parent);
  if (!given || trace.getSpanContext(active)?.traceId === given.traceId) return active;
  return trace.setSpanContext(active, given);
}

function wrapped(span: RecordedSpan, within: Context): Span {
  return {
    context: contextOf(span.spanContext()),
    run: (work) => context.with(within, work),
    end({ at, error, attributes } = {}) {
      if (attributes) span.setAttributes({ ...attributes });
      if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: error });
      span.end(at);
    },
  };
}

/** What others hang beneath; none where no SDK is registered. */
function contextOf(spanContext: SpanContext): TraceContext | undefined {
  if (!isSpanContextValid(spanContext) || spanContext.spanId === INVALID_SPANID) return undefined;
  const { traceId, spanId, traceFlags, traceState } = spanContext;
  const flags = (traceFlags & TraceFlags.SAMPLED) === 0 ? '00' : '01';
  const tracestate = traceState?.serialize();
  return { traceparent: `00-${traceId}-${spanId}-${flags}`, ...(tracestate && { tracestate }) };
}

/** The server has checked it; what a worker is given comes from there. */
function spanContextOf({ traceparent, tracestate }: TraceContext): SpanContext | undefined {
  const [, traceId, spanId, flags] = traceparent.split('-');
  if (traceId === undefined || spanId === undefined) return undefined;
  const traceFlags = flags === '01' ? TraceFlags.SAMPLED : TraceFlags.NONE;
  return { traceId, spanId, traceFlags, isRemote: true, ...(tracestate !== undefined && { traceState: createTraceState(tracestate) }) };
}
