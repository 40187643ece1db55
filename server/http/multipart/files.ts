import { TaskBridgeError } from '../../errors.ts';
import type { AttachmentReference, AttachmentStore } from '../../ports/attachments.ts';
import type { HttpOptions } from '../options.ts';
import { assertContentType, uploadedContentType } from './content-types.ts';
import { uploadedFileName } from './file-name.ts';
import { measured, type Measure } from './measured.ts';
import type { Part } from './parts.ts';

const fileFields: readonly (string | undefined)[] = ['attachment', 'attachments'];

/** True for the name of a field that holds files. */
export function isFileField(name: string | undefined): boolean {
  return fileFields.includes(name);
}

/** True for a part that is an attachment: under a file field, with a file name, or of a content type that no text field has. */
export function isAttachment({ name, fileName, contentType }: Part): boolean {
  return isFileField(name) && (fileName !== undefined || (contentType !== undefined && !contentType.startsWith('text/plain')));
}

/** Writes attachments as they arrive. */
export interface FileWriter {
  /** Every key that was or will be written. */
  readonly keys: readonly string[];
  /** Begins to write an attachment; throws at once for one too many and for a type that is not allowed. */
  take(part: Part): Promise<AttachmentReference>;
}

/** What a writer works with. */
export interface FileWriterDeps {
  readonly attachments: AttachmentStore;
  readonly options: HttpOptions;
  /** Asked before the first key is made. */
  readonly prefix: () => Promise<string>;
  /** Told of a file that is too large: an attachment store may wrap what its source throws. */
  readonly fail: (error: Error) => void;
}

/** Makes a writer. */
export function createFileWriter({ attachments, options, prefix, fail }: FileWriterDeps): FileWriter {
  const keys: string[] = [];
  let count = 0;

  async function write({ bytes }: Part, index: number, about: Pick<AttachmentReference, 'fieldName' | 'fileName' | 'contentType'>) {
    const key = `${await prefix()}/${index}`;
    keys.push(key);
    const measure: Measure = { bytes: 0, sha256: '' };
    const tooLarge = () => {
      const error = fileTooLarge(about.fileName, options.uploadBytesMax);
      fail(error);
      throw error;
    };
    await putFile(attachments, key, measured(bytes, measure, options.uploadBytesMax, tooLarge));
    return { key, ...about, ...measure };
  }

  return {
    keys,
    take(part) {
      if (count >= options.uploadFilesMax) throw tooManyFiles(options.uploadFilesMax);
      const contentType = uploadedContentType(part.contentType);
      const fileName = uploadedFileName(part.fileName);
      assertContentType(contentType, options.uploadContentTypes, fileName);
      return write(part, count++, { fieldName: part.name ?? '', fileName, contentType });
    },
  };
}

/** What the system says of a disk, or of somebody's share of it, that is full. */
const fullCodes: readonly unknown[] = ['ENOSPC', 'EDQUOT'];

/** Writes a file. Throws `STORE_UNAVAILABLE` where there is no room for it, and what the store throws else. */
export async function putFile(attachments: AttachmentStore, key: string, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  try {
    await attachments.put(key, bytes);
  } catch (error) {
    // A store of files may say so itself.
    if (error instanceof TaskBridgeError || !isFull(error)) throw error;
    throw new TaskBridgeError('STORE_UNAVAILABLE', 'There is no room for the files now; try again later.', {
      retryAfterSeconds: 5,
      cause: error,
    });
  }
}

/** An attachment store may wrap what it was told. */
function isFull(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return fullCodes.includes((error as NodeJS.ErrnoException).code) || (error.cause !== error && isFull(error.cause));
}

function fileTooLarge(fileName: string, bytesMax: number): TaskBridgeError {
  const message = `${JSON.stringify(fileName)} is larger than ${bytesMax} bytes.`;
  return new TaskBridgeError('UPLOAD_VALIDATION_ERROR', message, { details: { fileName, bytesMax } });
}

function tooManyFiles(filesMax: number): TaskBridgeError {
  return new TaskBridgeError('UPLOAD_VALIDATION_ERROR', `The request has more than ${filesMax} files.`, { details: { filesMax } });
}
