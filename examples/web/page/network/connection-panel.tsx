import { useSyncExternalStore, type ReactElement } from 'react';
import type { ConnectionView } from 'taskbridge/client';
import type { TabRole } from 'taskbridge/client/tabs';
import { useTaskSelector } from 'taskbridge/react';
import { transportLabels } from '../../../report/fact-text.ts';
import { useDemo } from '../demo.tsx';
import { useStore } from '../store.ts';

const rungs = ['ws', 'sse', 'poll'] as const;
const states: Readonly<Record<ConnectionView['state'], string>> = {
  connecting: 'Connecting',
  live: 'Live',
  waiting: 'Waiting before the next try',
  offline: 'Offline',
  paused: 'Paused, reading would be too fast',
  done: 'Nothing more can come',
  failed: 'Given up',
  closed: 'Closed',
};
const continuities = { resumed: 'nothing missing', gap: 'older facts are gone', reset: 'history was replaced' } as const;

const roles: Readonly<Record<TabRole, string>> = {
  leading: 'has the connection',
  following: 'shares another tab’s',
  alone: 'is alone',
  closed: 'is closed',
};

/** How the task is reached. */
export function ConnectionPanel({ taskId }: { readonly taskId: string }): ReactElement {
  const { session, tabs } = useDemo();
  const connection = useTaskSelector(taskId, ({ connection: now }) => now, alike);
  const token = useStore(session.token);
  const role = useSyncExternalStore(tabs.subscribe, tabs.getSnapshot);
  const { state, transport, continuity, climbing } = connection;
  return (
    <section className="panel connection" aria-labelledby="connection">
      <h2 id="connection">Connection</h2>
      <p className={`connection-state ${state}`} data-testid="connection">
        {states[state]}
        {climbing && <span className="quiet"> and climbing</span>}
      </p>
      <ol className="ladder">
        {rungs.map((rung) => (
          <li
            key={rung}
            className={rung === transport ? `current ${state}` : ''}
            aria-current={rung === transport ? 'true' : undefined}
            data-transport={rung}
          >
            {transportLabels[rung]}
          </li>
        ))}
      </ol>
      <dl className="pairs">
        <div>
          <dt>try</dt>
          <dd>{connection.try}</dd>
        </div>
        <div>
          <dt>continuity</dt>
          <dd>{continuities[continuity]}</dd>
        </div>
        <div>
          <dt>this tab</dt>
          <dd data-testid="role">{roles[role]}</dd>
        </div>
        <div>
          <dt>signed in as</dt>
          <dd>{session.name}</dd>
        </div>
        <div>
          <dt>token</dt>
          <dd>
            <code data-testid="token">{token.slice(0, 8)}</code>
          </dd>
        </div>
      </dl>
    </section>
  );
}

const alike = (a: ConnectionView, b: ConnectionView): boolean =>
  a.state === b.state && a.transport === b.transport && a.try === b.try && a.continuity === b.continuity && a.climbing === b.climbing;
