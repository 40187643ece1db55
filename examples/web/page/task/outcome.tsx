import type { ReactElement } from 'react';
import { useTaskSelector } from 'taskbridge/react';
import type { Report } from '../../../report/job/index.ts';
import { Summary } from './summary.tsx';

/** How the task ended, where it has. */
export function Outcome({ taskId }: { readonly taskId: string }): ReactElement | null {
  const result = useTaskSelector(taskId, ({ task }) => task.result);
  const failure = useTaskSelector(taskId, ({ task }) => task.failure);
  const cancellation = useTaskSelector(taskId, ({ task }) => task.cancellation);
  if (failure)
    return (
      <p className="notice bad">
        {failure.message} <code>{failure.code}</code>
      </p>
    );
  if (cancellation) return <p className="notice">Cancelled: {cancellation.reason}</p>;
  // What `buildReport` returned.
  return result === undefined ? null : <Summary taskId={taskId} report={result as Report} />;
}
