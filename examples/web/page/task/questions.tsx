import type { ReactElement } from 'react';
import type { TaskView } from 'taskbridge/client';
import { useTaskSelector } from 'taskbridge/react';
import { Question } from './question.tsx';

type Open = TaskView['openSuspensions'];
const same = (a: Open, b: Open): boolean => a.length === b.length && a.every(({ suspendId }, index) => suspendId === b[index]?.suspendId);

/** The questions that wait for an answer. */
export function Questions({ taskId }: { readonly taskId: string }): ReactElement {
  const open = useTaskSelector(taskId, ({ task }) => task.openSuspensions, same);
  return (
    <>
      {open.map((question) => (
        <Question key={question.suspendId} taskId={taskId} question={question} />
      ))}
    </>
  );
}
