import { memo, type ReactElement } from 'react';
import { useQuestions, useTaskActions, useTaskSelector } from 'taskbridge/react';
import { Answer } from './answer.tsx';
import { ToolQuestion } from './tool-question.tsx';

/** A question and its answer. Nothing of it renders for a word but the answer. */
export const Turn = memo(function Turn({ taskId, question }: { readonly taskId: string; readonly question: string }): ReactElement {
  const questions = useQuestions(taskId);
  return (
    <li className="turn" data-task={taskId}>
      <p className="asked">
        <span className="visually-hidden">You asked: </span>
        {question}
      </p>
      <Answer taskId={taskId} />
      {questions.map((each) => (
        <ToolQuestion key={each.suspendId} taskId={taskId} question={each} />
      ))}
      <Ending taskId={taskId} />
    </li>
  );
});

const endings = { cancelled: 'Stopped.', cancelling: 'Stopping …', failed: 'Failed.' } as const;

/** What became of it, in words that are also said to those who do not see the page. */
function Ending({ taskId }: { readonly taskId: string }): ReactElement {
  const state = useTaskSelector(taskId, ({ task }) => task.state);
  const isOver = useTaskSelector(taskId, ({ task }) => task.terminal);
  const looked = useTaskSelector(taskId, ({ task }) => (task.result as { readonly looked?: boolean } | undefined)?.looked);
  const { retry } = useTaskActions(taskId);
  const used = looked === true ? 'Used the weather.' : 'Used no tool.';
  return (
    <div className="ending">
      <p role="status" data-testid="ending">
        {state === 'completed' ? used : endings[state as keyof typeof endings]}
      </p>
      {!isOver && <Lost taskId={taskId} />}
      {isOver && (
        <button className="plain" onClick={() => void retry()}>
          Ask again
        </button>
      )}
    </div>
  );
}

/** Why nothing comes, where that lasts. */
function Lost({ taskId }: { readonly taskId: string }): ReactElement | null {
  const isOffline = useTaskSelector(taskId, ({ connection }) => connection.state === 'offline');
  const isLost = useTaskSelector(taskId, ({ connection }) => connection.state === 'waiting' || connection.try > 1);
  if (!isOffline && !isLost) return null;
  return <p className="lost">{isOffline ? 'Offline.' : 'The connection is lost.'} The answer goes on when it is back.</p>;
}
