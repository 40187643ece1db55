import { useState, type ReactElement } from 'react';
import { ConfirmButton } from '../confirm-button.tsx';
import { useTaskActions } from '../hooks.ts';

/** What can be done about a report that has ended: made again of the same file, or taken away. */
export function EndedActions({
  taskId,
  title,
  onAgain,
  onRemoved,
}: {
  readonly taskId: string;
  readonly title: string;
  readonly onAgain: (taskId: string) => void;
  readonly onRemoved: () => void;
}): ReactElement {
  const { retry, remove } = useTaskActions(taskId);
  const [again, setAgain] = useState<'no' | 'starting' | { readonly failed: string }>('no');

  async function startAgain(): Promise<void> {
    setAgain('starting');
    try {
      const next = await retry();
      setAgain('no');
      onAgain(next.taskId);
    } catch (error) {
      setAgain({ failed: (error as Error).message });
    }
  }

  return (
    <div className="row">
      <button aria-label={`Again: ${title}`} disabled={again === 'starting'} onClick={() => void startAgain()}>
        Again
      </button>
      <ConfirmButton
        label={`Remove … ${title}`}
        title={`Remove ${title}?`}
        yes="Remove"
        no="Keep it"
        more={<p>Its log and its files go with it, on all your devices.</p>}
        onYes={async () => {
          await remove();
          onRemoved();
        }}
      >
        Remove …
      </ConfirmButton>
      {typeof again === 'object' && (
        <p className="notice bad" role="alert">
          {again.failed}
        </p>
      )}
    </div>
  );
}
