import { TaskBridgeError } from '../../errors.ts';
import { payloadTooLarge } from '../request-body.ts';
import { isTextField, type TextField, type TextParts } from './fields.ts';
import type { Part } from './parts.ts';

/** Collects the text of a multipart body. */
export interface TextReader {
  readonly texts: TextParts;
  /** Begins to read a text part; throws at once for a field that was there before. Text under other names is counted and dropped. */
  take(part: Part): Promise<void>;
}

/** Makes a reader that takes so many bytes of text in all, then rejects with `PAYLOAD_TOO_LARGE`. */
export function createTextReader(bytesMax: number): TextReader {
  const texts = new Map<TextField, Buffer>();
  const seen = new Set<TextField>();
  let read = 0;

  async function collect({ name, bytes }: Part): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of bytes as AsyncIterable<Buffer>) {
      read += chunk.length;
      if (read > bytesMax) throw payloadTooLarge('The text of the fields together', bytesMax);
      if (isTextField(name)) chunks.push(chunk);
    }
    if (isTextField(name)) texts.set(name, Buffer.concat(chunks));
  }

  return {
    texts,
    take(part) {
      const { name } = part;
      if (isTextField(name)) {
        if (seen.has(name)) throw new TaskBridgeError('INVALID_REQUEST', `The field ${name} is given twice.`);
        seen.add(name);
      }
      return collect(part);
    },
  };
}
