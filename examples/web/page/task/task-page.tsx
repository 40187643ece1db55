import { useEffect, type ReactElement } from 'react';
import { useTaskSelector } from 'taskbridge/react';
import { ChartsPanel } from '../charts/charts-panel.tsx';
import { useDemo } from '../demo.tsx';
import { LogPanel } from '../log/log-panel.tsx';
import { ConnectionPanel } from '../network/connection-panel.tsx';
import { OutboxPanel } from '../network/outbox-panel.tsx';
import { TroublePanel } from '../network/trouble-panel.tsx';
import { useStore } from '../store.ts';
import { Announcer } from './announcer.tsx';
import { CancelForm } from './cancel-form.tsx';
import { Outcome } from './outcome.tsx';
import { ProgressPanel } from './progress-panel.tsx';
import { Questions } from './questions.tsx';

/** One task: what it does, what it asks, how it is reached, what it said. */
export function TaskPage({ taskId }: { readonly taskId: string }): ReactElement {
  const { recent } = useDemo();
  const fileName = useStore(recent).find((task) => task.taskId === taskId)?.fileName ?? 'A report';
  const state = useTaskSelector(taskId, ({ task }) => task.state);
  const isReached = useTaskSelector(taskId, ({ task, connection }) => task.lastEventId !== null || connection.state === 'live');
  const error = useTaskSelector(taskId, ({ connection }) => connection.error);
  useEffect(() => {
    document.title = `${fileName} · ${state} · TaskBridge`;
    return () => {
      document.title = 'TaskBridge';
    };
  }, [fileName, state]);

  return (
    <div className="task-page">
      <Announcer taskId={taskId} />
      <section className="panel task" aria-labelledby="task">
        <header className="task-head">
          <h1 id="task">{fileName}</h1>
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
          </>
        )}
      </section>
      <aside className="aside" aria-label="Connection">
        <ConnectionPanel taskId={taskId} />
        <TroublePanel />
        <OutboxPanel />
      </aside>
      <LogPanel taskId={taskId} />
      <ChartsPanel taskId={taskId} />
    </div>
  );
}
