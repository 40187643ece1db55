import { useId, useState, type FormEvent, type ReactElement } from 'react';
import type { FactPayload } from 'taskbridge/wire';
import type { DuplicatesQuestion } from '../../../report/fact-text.ts';
import { useDemo } from '../demo.tsx';
import { countOf } from '../numbers.ts';
import { SampleRows } from './sample-rows.tsx';

const words: Readonly<Record<string, readonly [label: string, about: string]>> = {
  'keep-first': ['Keep the first', 'the row that comes first in the file'],
  'keep-last': ['Keep the last', 'the row that comes last, perhaps a correction'],
  'drop-both': ['Drop them all', 'none of the rows that agree'],
};

/** One question of the task, as a form. */
export function Question({
  taskId,
  question,
}: {
  readonly taskId: string;
  readonly question: FactPayload<'TASK_SUSPENDED'>;
}): ReactElement {
  const { outbox } = useDemo();
  const [answer, setAnswer] = useState(question.allowedActions[0] ?? '');
  const [sending, setSending] = useState<'no' | 'sending' | { readonly failed: string }>('no');
  const titleId = useId();
  // The job's own shape; the server passes on what the job asked.
  const about = question.reasonCode === 'DUPLICATE_ROWS' ? (question.interaction as unknown as DuplicatesQuestion) : undefined;

  async function send(event: FormEvent): Promise<void> {
    event.preventDefault();
    setSending('sending');
    try {
      const { settled } = await outbox.act(taskId, { suspendId: question.suspendId, actionType: answer });
      const outcome = await settled();
      if ('refusal' in outcome) setSending({ failed: outcome.refusal.message });
    } catch (error) {
      setSending({ failed: (error as Error).message });
    }
  }

  return (
    <form className="question" aria-labelledby={titleId} onSubmit={(event) => void send(event)}>
      <h2 id={titleId}>{about ? 'What about the duplicates?' : question.reasonCode}</h2>
      {about && (
        <p>
          {countOf(about.groups)} groups of rows ({countOf(about.rows)} rows) agree in{' '}
          {about.key.length > 0 ? <strong>{about.key.join(', ')}</strong> : 'every column'}. For example:
        </p>
      )}
      {about && <SampleRows about={about} />}
      <fieldset disabled={sending === 'sending'}>
        <legend className="visually-hidden">Your answer</legend>
        {question.allowedActions.map((action) => (
          <label key={action} className="choice">
            <input type="radio" name={question.suspendId} value={action} checked={answer === action} onChange={() => setAnswer(action)} />
            <span>
              {words[action]?.[0] ?? action} <span className="quiet">{words[action]?.[1]}</span>
            </span>
          </label>
        ))}
        <button className="primary">{sending === 'sending' ? 'Sending …' : 'Answer'}</button>
      </fieldset>
      {typeof sending === 'object' && (
        <p className="notice bad" role="alert">
          {sending.failed}
        </p>
      )}
    </form>
  );
}
