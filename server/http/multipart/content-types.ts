import { TaskBridgeError } from '../../errors.ts';
import { mediaTypeOf } from '../request-body.ts';

const DEFAULT_TYPE = 'application/octet-stream';
/** What may go back into a header. */
const PRINTABLE = /^[\x20-\x7e]{1,255}$/;

/** The content type of an uploaded file: as sent, where it is short and printable, else `application/octet-stream`. */
export function uploadedContentType(sent: string | undefined): string {
  return sent !== undefined && PRINTABLE.test(sent) ? sent : DEFAULT_TYPE;
}

/** Throws `UPLOAD_VALIDATION_ERROR` for a content type outside the allow-list; an empty list allows all, `image/*` all of a kind. */
export function assertContentType(contentType: string, allowed: readonly string[], fileName: string): void {
  const type = mediaTypeOf(contentType);
  const isAllowed = (one: string) => (one.endsWith('/*') ? type.startsWith(one.slice(0, -1)) : type === one);
  if (allowed.length === 0 || allowed.map((one) => one.toLowerCase()).some(isAllowed)) return;
  throw new TaskBridgeError(
    'UPLOAD_VALIDATION_ERROR',
    `${JSON.stringify(fileName)} is of a type that is not allowed (${type.slice(0, 128)}).`,
    {
      details: { fileName, allowed },
    },
  );
}
