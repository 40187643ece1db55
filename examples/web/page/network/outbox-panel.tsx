import type { ReactElement } from 'react';
import type { OutboxEntry, OutboxState } from 'taskbridge/client/outbox';
import { useOutbox } from 'taskbridge/react';
import { useDemo } from '../demo.tsx';
import { timeOf } from '../numbers.ts';

const words: Readonly<Record<OutboxEntry['state'], string>> = {
  queued: 'waits',
  sending: 'is being sent',
  done: 'arrived',
  refused: 'was refused',
  expired: 'became too old',
  withdrawn: 'was taken back',
};
const why: Readonly<Partial<Record<OutboxState, string>>> = {
  offline: 'They go out when the network is back.',
  resting: 'No answer yet; they are tried again.',
  elsewhere: 'Another tab sends them.',
};

/** Commands on their way, and what became of them; nothing where there were none. */
export function OutboxPanel(): ReactElement | null {
  const { entries, state, pending, withdraw, dismiss } = useOutbox(useDemo().outbox);
  if (entries.length === 0) return null;
  return (
    <section className="panel outbox" aria-labelledby="outbox">
      <h2 id="outbox">Outbox</h2>
      <ul>
        {entries.map((entry) => (
          <li key={entry.id} data-state={entry.state}>
            <span>
              <strong>{nameOf(entry)}</strong> {words[entry.state]}
              {entry.refusal && <span className="quiet"> ({entry.refusal.message})</span>}
            </span>
            <time className="quiet">{timeOf(entry.addedAt)}</time>
            {entry.state === 'queued' && <button onClick={() => void withdraw(entry.id)}>Take back</button>}
          </li>
        ))}
      </ul>
      <p className="quiet" role="status">
        {pending > 0 && why[state]}
      </p>
      {entries.length > pending && (
        <button className="plain" onClick={() => void dismiss()}>
          Clear what is settled
        </button>
      )}
    </section>
  );
}

function nameOf({ command }: OutboxEntry): string {
  if (command.type === 'act') return `Answer “${command.request.actionType}”`;
  return command.type === 'cancel' ? 'Cancel' : 'Start';
}
