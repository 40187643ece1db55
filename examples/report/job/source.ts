import { Readable } from 'node:stream';
import { TaskFailure, type Task } from 'taskbridge/adapters/in-process';

/** The file that a report is about. */
export interface Source {
  readonly fileName: string;
  readonly bytes: number;
  /** Opens the file at an offset in bytes. */
  open(offset: number): Promise<AsyncIterable<Uint8Array>>;
}

/**
 * Finds the file of a task: its first attachment, or else the text in `input.csv`.
 *
 * @throws TaskFailure `BAD_INPUT` where there is neither.
 */
export function sourceOf(task: Pick<Task, 'attachments' | 'input'>): Source {
  const attachment = task.attachments[0];
  if (attachment)
    return {
      fileName: attachment.fileName,
      bytes: attachment.bytes,
      open: async (offset) => skip(await attachment.open(), offset),
    };
  const { csv } = task.input;
  if (typeof csv !== 'string') throw new TaskFailure('BAD_INPUT', 'There is no file. Attach one, or send its text as input.csv.');
  const text = Buffer.from(csv);
  return { fileName: 'input.csv', bytes: text.length, open: async (offset) => Readable.from([text.subarray(offset)]) };
}

async function* skip(stream: Readable, offset: number): AsyncGenerator<Uint8Array> {
  let ahead = offset;
  for await (const chunk of stream as AsyncIterable<Uint8Array>) {
    if (ahead < chunk.length) yield ahead > 0 ? chunk.subarray(ahead) : chunk;
    ahead = Math.max(0, ahead - chunk.length);
  }
}
