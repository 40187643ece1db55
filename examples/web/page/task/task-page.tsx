import { useEffect, type ReactElement } from 'react';
import { goTo } from '../address.ts';
import { ChartsPanel } from '../charts/charts-panel.tsx';
import { useTaskSelector } from '../hooks.ts';
import { LogPanel } from '../log/log-panel.tsx';
import { ConnectionPanel } from '../network/connection-panel.tsx';
import { OutboxPanel } from '../network/outbox-panel.tsx';
import { TroublePanel } from '../network/trouble-panel.tsx';
import { Announcer } from './announcer.tsx';
import { CancelForm } from './cancel-form.tsx';
import { EndedActions } from './ended-actions.tsx';
import { Outcome } from './outcome.tsx';
import { ProgressPanel } from './progress-panel.tsx';
import { Questions } from './questions.tsx';
import { useReportTitle } from './use-report-title.ts';

/** One task: what it does, what it asks, how it is reached, what it said. */
export function TaskPage({ taskId }: { readonly taskId: string }): ReactElement {
  const state = useTaskSelector(taskId, ({ task }) => task.state);
  const isReached = useTaskSelector(taskId, ({ task, connection }) => task.lastEventId !== null || connection.state === 'live');
  const isOver = useTaskSelector(taskId, ({ task }) => task.terminal);
  const title = useReportTitle(taskId, isReached) ?? 'A report';
  const error = useTaskSelector(taskId, ({ connection }) => connection.error);
  useEffect(() => {
    document.title = `${title} · ${state} · TaskBridge`;
    return () => {
      document.title = 'TaskBridge';
    };
  }, [title, state]);

  return (
    <div className="task-page">
      <Announcer taskId={taskId} />
      <section className="panel task" aria-labelledby="task">
        <header className="task-head">
          <h1 id="task" tabIndex={-1}>
            {title}
          </h1>
          <span className={isReached ? `badge ${state}` : 'badge unknown'} data-testid="state">
            {isReached ? state : 'not reached yet'}
          </span>
        </header>
        {error ? (
          <p className="notice bad" role="alert">
            This task cannot be followed: {error.message}
          </p>
        ) : (
          <>
            <ProgressPanel taskId={taskId} />
            <Questions taskId={taskId} />
            <Outcome taskId={taskId} />
            <CancelForm taskId={taskId} />
            {isOver && <EndedActions taskId={taskId} title={title} onAgain={goTo} onRemoved={() => goTo(null)} />}
          </>
        )}
      </section>
      <OutboxPanel />
      <LogPanel taskId={taskId} />
      <aside className="aside" aria-label="Connection">
        <ConnectionPanel taskId={taskId} />
        <TroublePanel />
      </aside>
      <ChartsPanel taskId={taskId} />
    </div>
  );
}
