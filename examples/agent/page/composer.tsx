import { useRef, useState, type FormEvent, type KeyboardEvent, type ReactElement } from 'react';
import { useTaskActions } from 'taskbridge/react';

/** What the composer is told. */
export interface ComposerProps {
  onAsk(question: string): Promise<void>;
  /** The task that is being answered; null for none. */
  readonly runs: string | null;
  readonly isSending: boolean;
}

/** Where a question is written; while one is answered, where that is stopped. */
export function Composer({ onAsk, runs, isSending }: ComposerProps): ReactElement {
  const [text, setText] = useState('');
  const form = useRef<HTMLFormElement>(null);
  const { cancel } = useTaskActions(runs);
  const isFree = runs === null && !isSending;

  function submit(event: FormEvent): void {
    event.preventDefault();
    const question = text.trim();
    if (question === '' || !isFree) return;
    setText('');
    void onAsk(question);
  }

  function sendOnEnter(event: KeyboardEvent): void {
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    form.current?.requestSubmit();
  }

  return (
    <form className="composer" ref={form} onSubmit={submit}>
      <label className="visually-hidden" htmlFor="question">
        Your question
      </label>
      <textarea
        id="question"
        rows={1}
        maxLength={500}
        placeholder="Ask something"
        value={text}
        onChange={({ target }) => setText(target.value)}
        onKeyDown={sendOnEnter}
      />
      {runs === null ? (
        <button className="primary round" aria-label="Ask" disabled={text.trim() === '' || isSending}>
          <svg viewBox="0 0 24 24" aria-hidden="true">
            <path d="M12 19V5M6 11l6-6 6 6" />
          </svg>
        </button>
      ) : (
        <button type="button" className="primary round" aria-label="Stop" onClick={() => void cancel().catch(() => undefined)}>
          <svg viewBox="0 0 24 24" aria-hidden="true">
            <rect x="7" y="7" width="10" height="10" rx="1.5" />
          </svg>
        </button>
      )}
    </form>
  );
}
