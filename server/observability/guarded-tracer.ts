import type { Logger } from '../ports/observability.ts';
import type { Span, Tracer } from '../ports/tracing.ts';

/** A span that nobody records. */
export const noSpan: Span = { context: undefined, run: (work) => work(), end: () => undefined };

/** The host's tracer, but one that throws is logged and touches nobody: what it was to follow is done once all the same. */
export function guardedTracer(given: Tracer | undefined, logger: Logger): Tracer | undefined {
  if (!given) return undefined;
  const failed = (error: unknown): void => logger.error('A tracer of the host failed.', { error });
  return {
    startSpan(name, start) {
      try {
        return guardedSpan(given.startSpan(name, start), failed);
      } catch (error) {
        failed(error);
        return noSpan;
      }
    },
  };
}

function guardedSpan(span: Span, failed: (error: unknown) => void): Span {
  let isOver = false;
  return {
    context: span.context,
    run<T>(work: () => T): T {
      let done: { readonly answer: T } | { readonly thrown: unknown } | undefined;
      const once = (): T => {
        try {
          const answer = work();
          done = { answer };
          return answer;
        } catch (thrown) {
          done = { thrown };
          throw thrown;
        }
      };
      try {
        return span.run(once);
      } catch (error) {
        if (done && 'thrown' in done) throw done.thrown;
        failed(error);
        return done ? done.answer : work();
      }
    },
    end(end) {
      if (isOver) return;
      isOver = true;
      try {
        span.end(end);
      } catch (error) {
        failed(error);
      }
    },
  };
}
