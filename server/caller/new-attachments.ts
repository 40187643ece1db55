import { Readable } from 'node:stream';
import { TaskBridgeError } from '../errors.ts';
import { createFileWriter } from '../http/multipart/files.ts';
import { removeAll } from '../http/multipart/upload.ts';
import type { HttpOptions } from '../http/options.ts';
import { payloadTooLarge } from '../http/request-body.ts';
import type { AttachmentReference, AttachmentStore } from '../ports/attachments.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/observability.ts';
import { contentBytes } from './attachment-bytes.ts';
import { endSource, hearErrors, SourceLimit } from './sources.ts';

/** A file that goes with a new task. */
export interface NewAttachment {
  /** Its last segment is kept; `upload.bin` where nothing usable is left. */
  readonly fileName: string;
  /** Defaults to `application/octet-stream`. */
  readonly contentType?: string;
  /** The form field that it stands for. Defaults to `attachments`. */
  readonly fieldName?: string;
  /** Read within `requestTimeoutMs` together with the others, and ended where the create fails. Text is kept as UTF-8. What is neither bytes nor text is refused with `UPLOAD_VALIDATION_ERROR`. */
  readonly content: Uint8Array | string | AsyncIterable<Uint8Array | string>;
}

/** What attachments are kept with. */
export interface NewAttachmentsDeps {
  readonly attachments: AttachmentStore | undefined;
  readonly options: HttpOptions;
  readonly clock: Clock;
  readonly logger: Logger | undefined;
}

/** Attachments that are stored, and belong to no task yet. */
export interface StoredAttachments {
  readonly references: readonly AttachmentReference[];
  /** Removes all of them. Never throws. */
  discard(): Promise<void>;
}

/**
 * Writes the files of a new task into the attachment store, one after the other, within the limits of a multipart request,
 * `requestTimeoutMs` among them: files of a create that takes hours would be swept before its task exists. Where one is refused, nothing is left of
 * them, and all their sources are ended. Throws `UPLOAD_VALIDATION_ERROR`, `PAYLOAD_TOO_LARGE` and `INVALID_REQUEST`.
 */
export async function storeAttachments(
  taskId: string,
  files: readonly NewAttachment[],
  deps: NewAttachmentsDeps,
): Promise<StoredAttachments> {
  if (files.length === 0) return { references: [], discard: async () => undefined };
  const { attachments, options, clock, logger } = deps;
  if (!attachments) throw new TaskBridgeError('UPLOAD_VALIDATION_ERROR', 'This server keeps no attachments; create the task without.');
  // An attachment store may wrap what its source throws.
  let refusal: Error | undefined;
  const refuse = (error: Error): void => void (refusal ??= error);
  const writer = createFileWriter({ attachments, options, prefix: async () => taskId, fail: refuse });
  const room = { bytes: options.uploadRequestBytesMax };
  const discard = (): Promise<void> => removeAll(writer.keys, { attachments, logger });
  for (const { content } of files) hearErrors(content);
  const limit = new SourceLimit(clock, options.requestTimeoutMs, refuse);
  try {
    const references: AttachmentReference[] = [];
    for (const { fileName, contentType, fieldName = 'attachments', content } of files) {
      const bytes = Readable.from(within(contentBytes({ fileName, content }, limit, refuse), room, options.uploadRequestBytesMax, refuse));
      references.push(await writer.take({ name: fieldName, fileName, contentType, bytes }));
    }
    return { references, discard };
  } catch (error) {
    for (const { content } of files) endSource(content);
    await discard();
    throw refusal ?? error;
  } finally {
    limit.end();
  }
}

async function* within(
  bytes: AsyncIterable<Uint8Array>,
  room: { bytes: number },
  bytesMax: number,
  refuse: (error: Error) => void,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    room.bytes -= chunk.byteLength;
    if (room.bytes < 0) {
      const error = payloadTooLarge('The attachments together', bytesMax);
      refuse(error);
      throw error;
    }
    yield chunk;
  }
}
