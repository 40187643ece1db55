import { useRef, useState, type FormEvent, type ReactElement } from 'react';
import { useTaskSelector } from 'taskbridge/react';
import { useDemo } from '../demo.tsx';

/** Ends the task early, with a reason where there is one. */
export function CancelForm({ taskId }: { readonly taskId: string }): ReactElement | null {
  const { outbox } = useDemo();
  const isOver = useTaskSelector(taskId, ({ task }) => task.terminal || task.state === 'cancelling');
  const dialog = useRef<HTMLDialogElement>(null);
  const [reason, setReason] = useState('');
  const [trouble, setTrouble] = useState('');
  if (isOver) return null;

  async function send(event: FormEvent): Promise<void> {
    event.preventDefault();
    dialog.current?.close();
    setTrouble('');
    try {
      await outbox.cancel(taskId, reason.trim() || undefined);
    } catch (error) {
      setTrouble((error as Error).message);
    }
  }

  return (
    <div className="cancel">
      <button onClick={() => dialog.current?.showModal()}>Cancel the report …</button>
      {trouble && (
        <p className="notice bad" role="alert">
          {trouble}
        </p>
      )}
      <dialog ref={dialog} aria-labelledby="cancel">
        <form onSubmit={(event) => void send(event)}>
          <h2 id="cancel">Cancel the report?</h2>
          <label>
            Reason, if you like
            <input type="text" maxLength={200} value={reason} onChange={({ target }) => setReason(target.value)} />
          </label>
          <div className="row">
            <button className="danger">Cancel the report</button>
            <button type="button" onClick={() => dialog.current?.close()}>
              Go on
            </button>
          </div>
        </form>
      </dialog>
    </div>
  );
}
