import type { ReactElement } from 'react';
import type { UploadProgress } from 'taskbridge/client';
import { sizeOf } from '../numbers.ts';

/** How far a file came. */
export function UploadBar({ fileName, upload }: { readonly fileName: string; readonly upload: UploadProgress | null }): ReactElement {
  const { sentBytes, totalBytes } = upload ?? { sentBytes: 0, totalBytes: undefined };
  const isWhole = totalBytes !== undefined && sentBytes >= totalBytes;
  return (
    <section className="drop sending" aria-label="Upload">
      <p>
        {isWhole ? 'Starting the report of' : 'Sending'} <strong>{fileName}</strong>
      </p>
      <progress aria-label="Upload" max={totalBytes ?? 1} value={sentBytes} />
      <p className="quiet">
        {sizeOf(sentBytes)}
        {totalBytes !== undefined && ` of ${sizeOf(totalBytes)}`}
      </p>
    </section>
  );
}
