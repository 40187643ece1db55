import { useState, type ReactElement } from 'react';
import { ConfirmButton } from '../confirm-button.tsx';
import { useDemo } from '../demo.tsx';
import { useTaskSelector } from '../hooks.ts';

/** Ends the task early, with a reason where there is one. */
export function CancelForm({ taskId }: { readonly taskId: string }): ReactElement | null {
  const { outbox } = useDemo();
  const isOver = useTaskSelector(taskId, ({ task }) => task.terminal || task.state === 'cancelling');
  const [reason, setReason] = useState('');
  if (isOver) return null;
  return (
    <div className="cancel">
      <ConfirmButton
        title="Cancel the report?"
        yes="Cancel the report"
        no="Go on"
        more={
          <label>
            Reason, if you like
            <input type="text" maxLength={200} value={reason} onChange={({ target }) => setReason(target.value)} />
          </label>
        }
        onYes={() => outbox.cancel(taskId, reason.trim() || undefined)}
      >
        Cancel the report …
      </ConfirmButton>
    </div>
  );
}
