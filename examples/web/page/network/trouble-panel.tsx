import type { ReactElement } from 'react';
import type { Switches } from '../../messages.ts';
import { useDemo } from '../demo.tsx';
import { useStore } from '../store.ts';

const switches: readonly { readonly name: keyof Switches; readonly label: string }[] = [
  { name: 'webSocket', label: 'Block WebSocket' },
  { name: 'sse', label: 'Block server-sent events' },
  { name: 'network', label: 'Go offline' },
  { name: 'server', label: 'Stop the server' },
];

/** What the world does to connections, at the press of a button. All of it is real: a proxy resets, a process is killed. */
export function TroublePanel(): ReactElement {
  const store = useDemo().switches;
  const { state, busy, said } = useStore(store);
  return (
    <section className="panel trouble" aria-labelledby="trouble">
      <h2 id="trouble">Make trouble</h2>
      <div className="row">
        <button onClick={() => void store.cut()}>Cut the connection</button>
        <button onClick={() => void store.expireToken()}>Expire the token</button>
      </div>
      <ul className="switches">
        {switches.map(({ name, label }) => (
          <li key={name}>
            <label className="switch">
              <input
                type="checkbox"
                role="switch"
                checked={!state[name]}
                disabled={busy !== null}
                onChange={({ target }) => void store.turn(name, !target.checked)}
              />
              {label}
            </label>
          </li>
        ))}
      </ul>
      <p className="quiet said" role="status">
        {busy === 'server' && !state.server ? 'The server starts …' : said}
      </p>
    </section>
  );
}
