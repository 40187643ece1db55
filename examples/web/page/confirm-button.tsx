import { useId, useRef, useState, type FormEvent, type ReactElement, type ReactNode } from 'react';

/** What a button asks before it does something that cannot be undone. */
export interface ConfirmButtonProps {
  readonly children: ReactNode;
  /** Its name where what it shows is not enough, as in a list. */
  readonly label?: string;
  readonly title: string;
  readonly yes: string;
  readonly no: string;
  /** What else is asked, or said. */
  readonly more?: ReactNode;
  /** What throws is shown beside the button. */
  readonly onYes: () => Promise<unknown>;
}

/** A button that asks once more. */
export function ConfirmButton({ children, label, title, yes, no, more, onYes }: ConfirmButtonProps): ReactElement {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  const [trouble, setTrouble] = useState('');

  async function confirm(event: FormEvent): Promise<void> {
    event.preventDefault();
    dialog.current?.close();
    setTrouble('');
    try {
      await onYes();
    } catch (error) {
      setTrouble((error as Error).message);
    }
  }

  return (
    <>
      <button aria-label={label} onClick={() => dialog.current?.showModal()}>
        {children}
      </button>
      {trouble && (
        <p className="notice bad" role="alert">
          {trouble}
        </p>
      )}
      <dialog ref={dialog} aria-labelledby={titleId}>
        <form onSubmit={(event) => void confirm(event)}>
          <h2 id={titleId}>{title}</h2>
          {more}
          <div className="row">
            <button className="danger">{yes}</button>
            <button type="button" onClick={() => dialog.current?.close()}>
              {no}
            </button>
          </div>
        </form>
      </dialog>
    </>
  );
}
