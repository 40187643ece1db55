import type { ReactElement } from 'react';
import { addressOf, follow, useAddress } from './address.ts';
import { StartPage } from './start/start-page.tsx';
import { TaskPage } from './task/task-page.tsx';
import { ThemeChoice } from './theme.tsx';

/** The page: a start, or a task. */
export function App(): ReactElement {
  const taskId = useAddress();
  return (
    <>
      <header className="top">
        <a className="brand" href={addressOf(null)} onClick={(event) => follow(event, null)}>
          <svg viewBox="0 0 24 24" aria-hidden="true">
            <path d="M2 16h20M5 16v-2a7 7 0 0 1 14 0v2M12 7v9M8 8.5V16M16 8.5V16" />
          </svg>
          TaskBridge
        </a>
        {taskId !== null && (
          <nav aria-label="Tasks">
            <a className="button plain" href={addressOf(null)} onClick={(event) => follow(event, null)}>
              New report
            </a>
          </nav>
        )}
        <ThemeChoice />
      </header>
      <main>{taskId === null ? <StartPage /> : <TaskPage key={taskId} taskId={taskId} />}</main>
    </>
  );
}
