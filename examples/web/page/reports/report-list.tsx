import { useRef, useState, type ReactElement } from 'react';
import { useTasks } from '../hooks.ts';
import { Filters, type ListedState } from './filters.tsx';
import { ReportRow } from './report-row.tsx';

const PAGE = 8;

/** The caller's reports, newest first, wherever they were started. Their states are live; what other devices start comes within seconds. */
export function ReportList(): ReactElement {
  const [state, setState] = useState<ListedState>();
  const [label, setLabel] = useState<string>();
  const { tasks, status, error, hasMore, more, refresh } = useTasks({ type: 'report.build', state, label, limit: PAGE });
  const [said, setSaid] = useState('');
  const heading = useRef<HTMLHeadingElement>(null);
  const isFiltered = state !== undefined || label !== undefined;

  return (
    <section className="reports" aria-labelledby="reports">
      <header className="reports-head">
        <h2 id="reports" ref={heading} tabIndex={-1}>
          My reports
        </h2>
        <Filters state={state} label={label} onState={setState} onLabel={setLabel} />
      </header>
      {status === 'loading' && <p className="quiet">Looking …</p>}
      {status === 'ready' && tasks.length === 0 && !hasMore && (
        <p className="quiet">
          {isFiltered ? 'None of your reports is like that.' : 'None yet. What you start under this name, here or elsewhere, stands here.'}
        </p>
      )}
      <ul aria-label="My reports">
        {tasks.map((task) => (
          <ReportRow
            key={task.taskId}
            task={task}
            onLabel={setLabel}
            onAgain={() => setSaid(`${task.title ?? 'The report'} is made again.`)}
            onRemoved={() => {
              setSaid(`${task.title ?? 'The report'} was removed.`);
              // What had the focus has gone with its row.
              heading.current?.focus();
            }}
          />
        ))}
      </ul>
      {hasMore && <button onClick={() => void more()}>Older reports</button>}
      <p className="quiet" role="status">
        {said}
      </p>
      {status === 'failed' && (
        <p className="notice" role="alert">
          What is shown may be old: {error?.message} <button onClick={() => void refresh()}>Ask again</button>
        </p>
      )}
    </section>
  );
}
