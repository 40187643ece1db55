import { useId, type ReactElement } from 'react';
import { TaskQuestion, useOutbox, type ShownQuestion } from 'taskbridge/react';
import type { DuplicatesQuestion } from '../../../report/fact-text.ts';
import { useDemo } from '../demo.tsx';
import { countOf } from '../numbers.ts';
import { AnswerForm } from './answer-form.tsx';
import { SampleRows } from './sample-rows.tsx';

/** One question of the task, as a form: what is asked is the job's own, what may be answered is drawn from the schemas that the question carries. */
export function Question({ taskId, question }: { readonly taskId: string; readonly question: ShownQuestion }): ReactElement {
  const { outbox } = useDemo();
  const { entries } = useOutbox(outbox);
  // Given in another tab, or before this page was loaded.
  const isAnswered = entries.some(
    ({ command, state }) =>
      command.type === 'act' && command.request.suspendId === question.suspendId && (state === 'queued' || state === 'sending'),
  );
  const titleId = useId();
  // The job's own shape; the server passes on what the job asked.
  const about = question.reasonCode === 'DUPLICATE_ROWS' ? (question.interaction as unknown as DuplicatesQuestion) : undefined;
  return (
    <section className="question" aria-labelledby={titleId}>
      <h2 id={titleId}>{about ? 'What about the duplicates?' : question.reasonCode}</h2>
      {about && (
        <p>
          {countOf(about.groups)} groups of rows ({countOf(about.rows)} rows) agree in{' '}
          {about.key.length > 0 ? <strong>{about.key.join(', ')}</strong> : 'every column'}. For example:
        </p>
      )}
      {about && <SampleRows about={about} />}
      <TaskQuestion taskId={taskId} question={question} outbox={outbox}>
        {(form) => <AnswerForm form={form} isAnswered={isAnswered} />}
      </TaskQuestion>
    </section>
  );
}
