/** One part of a multipart body, written out by hand: a `FormData` cannot say what these tests need. */
export interface FormPart {
  readonly name?: string;
  readonly fileName?: string;
  readonly contentType?: string;
  /** Instead of a Content-Disposition made of the names. */
  readonly disposition?: string;
  readonly body: string | Uint8Array;
}

/** The boundary of {@link form}. */
export const BOUNDARY = 'x-test-boundary';
/** The content type of {@link form}. */
export const FORM_TYPE = `multipart/form-data; boundary=${BOUNDARY}`;

/** A file part, `attachment` unless named otherwise. */
export function file(body: string | Uint8Array, fileName = 'a.txt', part: Partial<FormPart> = {}): FormPart {
  return { name: 'attachment', fileName, contentType: 'text/plain', ...part, body };
}

/** A text part. */
export function text(name: string, body: string): FormPart {
  return { name, body };
}

/** The two fields that every create needs. */
export const ids = [text('clientRequestId', 'r1'), text('taskType', 'report')] as const;

/** The bytes of a multipart body. */
export function form(parts: readonly FormPart[], end = `--${BOUNDARY}--\r\n`): Buffer {
  const chunks = parts.flatMap(({ name, fileName, contentType, disposition, body }) => {
    const names = `${name === undefined ? '' : `; name="${name}"`}${fileName === undefined ? '' : `; filename="${fileName}"`}`;
    const type = contentType === undefined ? '' : `\r\nContent-Type: ${contentType}`;
    return [
      Buffer.from(`--${BOUNDARY}\r\nContent-Disposition: ${disposition ?? `form-data${names}`}${type}\r\n\r\n`),
      Buffer.from(body),
      Buffer.from('\r\n'),
    ];
  });
  return Buffer.concat([...chunks, Buffer.from(end)]);
}
