import { useRef, useState, type DragEvent, type ReactElement } from 'react';

/** Takes a file that is dropped, chosen, or the sample. */
export function DropZone({ onFile, onSample }: { readonly onFile: (file: File) => void; readonly onSample: () => void }): ReactElement {
  const input = useRef<HTMLInputElement>(null);
  const [isOver, setOver] = useState(false);

  function drop(event: DragEvent): void {
    event.preventDefault();
    setOver(false);
    const [file] = event.dataTransfer.files;
    if (file) onFile(file);
  }

  return (
    <section
      className={isOver ? 'drop over' : 'drop'}
      aria-label="Your file"
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      <svg viewBox="0 0 24 24" aria-hidden="true">
        <path d="M12 15V4m0 0L8 8m4-4 4 4M4 15v3a2 2 0 0 0 2 2h12a2 2 0 0 0 2-2v-3" />
      </svg>
      <p>Drop a CSV file here</p>
      <div className="row">
        <button className="primary" onClick={() => input.current?.click()}>
          Choose a file
        </button>
        <button onClick={onSample}>Use the sample</button>
      </div>
      <p className="quiet">Any size, a header line, cells parted by comma, semicolon, tab or bar.</p>
      <input
        ref={input}
        className="visually-hidden"
        type="file"
        accept=".csv,.tsv,.txt,text/csv"
        tabIndex={-1}
        aria-label="File"
        onChange={({ target }) => {
          const [file] = target.files ?? [];
          if (file) onFile(file);
        }}
      />
    </section>
  );
}
