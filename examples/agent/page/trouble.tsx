import { useState, type ReactElement } from 'react';

const troubles = [
  { path: '/demo/cut', label: 'Cut the connection', doing: 'Cutting …' },
  { path: '/demo/kill', label: 'Kill the server', doing: 'The server is gone …' },
] as const;

/** What the world does in mid-sentence, at the press of a button. Both are real: a proxy resets all connections, a process is killed by `kill -9`. */
export function Trouble(): ReactElement {
  const [doing, setDoing] = useState<string | null>(null);

  async function make(path: string): Promise<void> {
    setDoing(path);
    await fetch(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }).catch(() => undefined);
    setDoing(null);
  }

  return (
    <p className="trouble">
      <span>In mid-sentence:</span>
      {troubles.map(({ path, label, doing: text }) => (
        <button key={path} className="label" disabled={doing !== null} onClick={() => void make(path)}>
          {doing === path ? text : label}
        </button>
      ))}
      <span>or reload the page.</span>
    </p>
  );
}
