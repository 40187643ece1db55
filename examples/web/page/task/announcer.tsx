import type { ReactElement } from 'react';
import { useTaskSelector } from 'taskbridge/react';
import { connectionLine } from '../../../report/fact-text.ts';

const STEP = 25;

/** Tells people who do not see the page what changes: the state, each quarter of the way, the connection. */
export function Announcer({ taskId }: { readonly taskId: string }): ReactElement {
  const quarter = useTaskSelector(taskId, ({ task }) => Math.floor((task.progress?.progress ?? 0) / STEP) * STEP);
  const state = useTaskSelector(taskId, ({ task }) => task.state);
  const connection = useTaskSelector(taskId, ({ connection: now }) => connectionLine({ ...now, climbing: false }));
  const asks = useTaskSelector(taskId, ({ task }) => task.openSuspensions.length);
  return (
    <div className="visually-hidden">
      <p role="status">{`The report is ${state}, ${quarter} %${asks > 0 ? ', and asks a question' : ''}.`}</p>
      <p role="status">{connection}</p>
    </div>
  );
}
