import { parseEventId } from '../../machines/wire/index.ts';
import type { Span, SpanEnd, SpanName, Tracer } from '../ports/tracing.ts';
import type { TaskAbout } from '../task/about.ts';
import type { CommitNote } from '../task/commit-notes.ts';
import type { TaskRecord } from '../task/task-record.ts';
import type { FinishedUnit } from '../task/unit-of-work.ts';
import { noSpan } from './guarded-tracer.ts';
import { askedAt, type QuestionWaitsDeps } from './question-waits.ts';

type Attributes = Readonly<Record<string, string | number | boolean>>;

/** What tells a task in a span. */
export function taskAttributes({ taskId, taskType }: Pick<TaskAbout, 'taskId' | 'taskType'>): Attributes {
  return { 'taskbridge.task.id': taskId, 'taskbridge.task.type': taskType };
}

/** Begins a span beneath a task's create. None where nobody traces, and for a task that came without a trace before anybody did. */
export function taskSpan(tracer: Tracer | undefined, name: SpanName, about: TaskAbout, attributes: Attributes = {}, at?: number): Span {
  if (!tracer || !about.trace) return noSpan;
  return tracer.startSpan(name, { parent: about.trace, at, attributes: { ...taskAttributes(about), ...attributes } });
}

/** Begins the span of a commit. */
export function commitSpan(tracer: Tracer, { after, facts }: Pick<FinishedUnit, 'after' | 'facts'>): Span {
  const types = [...new Set(facts.map(({ type }) => type))].join(' ');
  return taskSpan(tracer, 'taskbridge.commit', after.about, { 'taskbridge.facts': facts.length, 'taskbridge.fact.types': types });
}

/** How it ends: a conflict is no error, and is decided anew. */
export function commitEnd(outcome: string): SpanEnd {
  return { attributes: { 'taskbridge.outcome': outcome } };
}

/** Ends a span with what became of a promise; gives the same promise. */
export function spanning<T>(span: Span, work: () => Promise<T>, endOf: (answer: T) => SpanEnd = () => ({})): Promise<T> {
  if (span === noSpan) return work();
  const done = span.run(work);
  done.then(
    (answer) => span.end(endOf(answer)),
    (error: unknown) => span.end({ error: codeOf(error) }),
  );
  return done;
}

/** The code of an error, or what kind it is: never its text. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'error';
  const { code } = error as NodeJS.ErrnoException;
  return typeof code === 'string' ? code : error.name;
}

/** What commits are followed with. */
export interface CommitSpansDeps extends QuestionWaitsDeps {
  readonly tracer: Tracer;
  /** The store's time, in milliseconds since the epoch. */
  now(): number;
}

/** Tells of what a commit has ended: a question, and an attempt whose process cannot tell of it any more. */
export function tellEnded(deps: CommitSpansDeps, { about, aggregate }: TaskRecord, notes: readonly CommitNote[]): void {
  const { tracer, now } = deps;
  if (!about.trace) return;
  for (const note of notes) {
    if (note.type === 'question.closed') {
      const { suspendId, outcome, at } = note;
      void askedAt(deps, about.taskId, note).then((asked) =>
        taskSpan(tracer, 'taskbridge.question', about, { 'taskbridge.suspend.id': suspendId, 'taskbridge.outcome': outcome }, asked).end({
          at,
        }),
      );
    } else if (note.event.type === 'attempt.lost' && note.event.crashed) {
      // It was there when it said something last.
      const seen = aggregate.lastEventId === null ? undefined : parseEventId(aggregate.lastEventId)?.ms;
      const span = taskSpan(tracer, 'taskbridge.attempt', about, { 'taskbridge.attempt': note.attempt }, seen ?? about.createdAt);
      span.end({ at: now(), error: 'lost' });
    }
  }
}
