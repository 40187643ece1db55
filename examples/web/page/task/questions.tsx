import type { ReactElement } from 'react';
import { useQuestions } from 'taskbridge/react';
import { Question } from './question.tsx';

/** The questions that wait for an answer. */
export function Questions({ taskId }: { readonly taskId: string }): ReactElement {
  return (
    <>
      {useQuestions(taskId).map((question) => (
        <Question key={question.suspendId} taskId={taskId} question={question} />
      ))}
    </>
  );
}
