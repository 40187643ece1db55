import type { ReactElement } from 'react';
import { addressOf, follow } from '../address.ts';
import { useDemo } from '../demo.tsx';
import { useStore } from '../store.ts';

/** The tasks that were started in this browser; each goes on where it was. */
export function RecentList(): ReactElement | null {
  const { recent } = useDemo();
  const tasks = useStore(recent);
  if (tasks.length === 0) return null;
  return (
    <section className="recent" aria-labelledby="recent">
      <h2 id="recent">Recent reports</h2>
      <ul>
        {tasks.map(({ taskId, fileName, startedAt }) => (
          <li key={taskId}>
            <a href={addressOf(taskId)} onClick={(event) => follow(event, taskId)}>
              {fileName}
              <time className="quiet" dateTime={new Date(startedAt).toISOString()}>
                {new Date(startedAt).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'short' })}
              </time>
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}
