import type { FormEvent, ReactElement } from 'react';
import type { QuestionForm } from 'taskbridge/react';
import { Field } from './field.tsx';

/** Any question's answers: one to choose, and what it is to be given. */
export function AnswerForm({ form, isAnswered }: { readonly form: QuestionForm; readonly isAnswered: boolean }): ReactElement {
  const { question, actions, action, choose, fields, submit, status, error } = form;
  // The fact that closes the question takes the form away; until then nothing more is to be sent.
  const isSent = status === 'sending' || status === 'sent' || isAnswered;

  async function send(event: FormEvent): Promise<void> {
    event.preventDefault();
    // What has the focus goes with the form.
    if (await submit()) document.getElementById('task')?.focus();
  }

  return (
    <form className="answer" aria-label="Your answer" onSubmit={(event) => void send(event)}>
      <fieldset disabled={isSent}>
        <legend className="visually-hidden">Your answer</legend>
        {actions.map(({ actionType, label, description }) => (
          <label key={actionType} className="choice">
            <input
              type="radio"
              name={question.suspendId}
              value={actionType}
              required
              checked={action?.actionType === actionType}
              onChange={() => choose(actionType)}
            />
            <span>
              {label} {description && <span className="quiet">{description}</span>}
            </span>
          </label>
        ))}
        {fields.length > 0 && (
          <div className="fields">
            {fields.map((field) => (
              <Field key={field.name} field={field} />
            ))}
          </div>
        )}
        <button className="primary">{isSent ? 'Sending …' : 'Answer'}</button>
      </fieldset>
      {error && (
        <p className="notice bad" role="alert">
          {error.message}
        </p>
      )}
    </form>
  );
}
