import type { ReactElement } from 'react';
import { useTaskSelector } from 'taskbridge/react';

/** How far the work is. Only this is drawn anew with each report. */
export function ProgressPanel({ taskId }: { readonly taskId: string }): ReactElement {
  const progress = useTaskSelector(taskId, ({ task }) => task.progress);
  const isOver = useTaskSelector(taskId, ({ task }) => task.terminal);
  const { progress: percent, stage = 'waiting', message = '' } = progress ?? { progress: 0 };
  return (
    <div className="work">
      <div className="work-line">
        <span className="percent" data-testid="percent">
          {percent.toFixed(0)}
          <small> %</small>
        </span>
        <span>
          {stage}
          <span className="quiet"> {message}</span>
        </span>
      </div>
      <progress className={isOver ? 'over' : ''} aria-label="Progress of the report" max={100} value={percent} />
    </div>
  );
}
