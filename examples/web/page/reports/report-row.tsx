import type { ReactElement } from 'react';
import type { TaskSnapshotResponse } from 'taskbridge/wire';
import { addressOf, follow } from '../address.ts';
import { momentOf } from '../numbers.ts';
import { EndedActions } from '../task/ended-actions.tsx';

/** A report of the list. */
export interface ReportRowProps {
  readonly task: Pick<TaskSnapshotResponse, 'taskId' | 'title' | 'labels' | 'state' | 'progress' | 'createdAt'>;
  readonly onLabel: (label: string) => void;
  readonly onAgain: () => void;
  readonly onRemoved: () => void;
}

const ended: readonly string[] = ['completed', 'failed', 'cancelled'];

/** One report: what it is, how it stands, what can be done about it. */
export function ReportRow({ task, onLabel, onAgain, onRemoved }: ReportRowProps): ReactElement {
  const { taskId, title = 'A report', labels = [], state, progress, createdAt } = task;
  const isOver = ended.includes(state);
  return (
    <li className="report" data-task={taskId}>
      <div className="report-line">
        <a href={addressOf(taskId)} onClick={(event) => follow(event, taskId)}>
          {title}
        </a>
        <span className={`badge ${state}`} data-state={state}>
          {state}
          {!isOver && progress && ` ${progress.progress.toFixed(0)} %`}
        </span>
        {labels.map((label) => (
          <button key={label} className="label" aria-label={`Only ${label}`} onClick={() => onLabel(label)}>
            {label}
          </button>
        ))}
        <time className="quiet" dateTime={createdAt}>
          {momentOf(createdAt)}
        </time>
      </div>
      {isOver && <EndedActions taskId={taskId} title={title} onAgain={onAgain} onRemoved={onRemoved} />}
    </li>
  );
}
