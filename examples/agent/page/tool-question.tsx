import { useId, type ReactElement } from 'react';
import { useQuestionForm, type ShownQuestion } from 'taskbridge/react';

const labels: Readonly<Record<string, string>> = { allow: 'Allow', refuse: 'No' };

/** What the agent asks before it uses a tool. It waits as long as it takes; whoever answers first, on whatever device, has answered. */
export function ToolQuestion({ taskId, question }: { readonly taskId: string; readonly question: ShownQuestion }): ReactElement {
  const { actions, submit, status, error } = useQuestionForm({ taskId, question });
  const titleId = useId();
  const text = question.interaction?.['text'];
  const isOpen = status === 'open' || status === 'failed';
  return (
    <section className="tool" aria-labelledby={titleId}>
      <div role="status">
        <h2 id={titleId}>{typeof text === 'string' ? text : question.reasonCode}</h2>
      </div>
      <div className="row">
        {actions.map(({ actionType }, nth) => (
          <button key={actionType} className={nth === 0 ? 'primary' : ''} disabled={!isOpen} onClick={() => void submit(actionType)}>
            {labels[actionType] ?? actionType}
          </button>
        ))}
      </div>
      {error && (
        <p className="notice bad" role="alert">
          {error.message}
        </p>
      )}
    </section>
  );
}
