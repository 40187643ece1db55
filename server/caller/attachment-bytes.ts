import { isUint8Array } from 'node:util/types';
import { TaskBridgeError } from '../errors.ts';
import type { NewAttachment } from './new-attachments.ts';
import type { Source, SourceLimit } from './sources.ts';

/** The first half of a character of two, at the end of a text. */
const HALF = /[\ud800-\udbff]$/;

/**
 * The content of a file as bytes, whatever of what may be given it is made of: stores count and write bytes only. Tells `refuse` of anything else,
 * with `UPLOAD_VALIDATION_ERROR`, and throws the same. Reads within the limit.
 */
export async function* contentBytes(
  { fileName, content }: Pick<NewAttachment, 'fileName' | 'content'>,
  limit: Pick<SourceLimit, 'read'>,
  refuse: (error: Error) => void,
): AsyncGenerator<Uint8Array> {
  // A character of two may come in two texts.
  let half = '';
  for await (const chunk of limit.read(chunksOf(content))) {
    if (typeof chunk === 'string') {
      const text = half + chunk;
      half = HALF.exec(text)?.[0] ?? '';
      yield Buffer.from(text.slice(0, text.length - half.length));
    } else if (isUint8Array(chunk)) {
      if (half !== '') yield Buffer.from(half);
      half = '';
      yield chunk;
    } else {
      const error = noBytes(fileName, chunk);
      refuse(error);
      throw error;
    }
  }
  if (half !== '') yield Buffer.from(half);
}

function chunksOf(content: unknown): Source {
  const isStream =
    typeof content === 'object' &&
    content !== null &&
    !ArrayBuffer.isView(content) &&
    (Symbol.asyncIterator in content || Symbol.iterator in content);
  return isStream ? (content as Source) : [content];
}

function noBytes(fileName: string, given: unknown): TaskBridgeError {
  const kind = given === null ? 'null' : typeof given === 'object' ? `an object (${given.constructor?.name ?? 'Object'})` : typeof given;
  return new TaskBridgeError(
    'UPLOAD_VALIDATION_ERROR',
    `The content of ${JSON.stringify(fileName)} is neither bytes nor text, but ${kind}; give Uint8Array or string.`,
    { details: { fileName } },
  );
}
