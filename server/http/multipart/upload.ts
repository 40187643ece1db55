import type { IncomingMessage } from 'node:http';
import { TaskBridgeError } from '../../errors.ts';
import type { AttachmentReference, AttachmentStore } from '../../ports/attachments.ts';
import type { Chance } from '../../ports/chance.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/observability.ts';
import type { HttpOptions } from '../options.ts';
import { payloadTooLarge } from '../request-body.ts';
import { assertContentType } from './content-types.ts';
import { requiredText, textFields, type TextField, type TextParts } from './fields.ts';
import { uploadedFileName } from './file-name.ts';
import { measured, type Measure } from './measured.ts';
import { readParts, type Part } from './parts.ts';

/** A multipart request that has arrived whole. */
export interface Upload {
  readonly texts: TextParts;
  /** In the order in which they came, under keys that begin with `taskId`. */
  readonly attachments: readonly AttachmentReference[];
  readonly taskId: string;
  /** Removes every file of this upload. Never throws: what is left is found by the sweeper. */
  discard(): Promise<void>;
}

/** What an upload works with. */
export interface UploadTools {
  readonly attachments: AttachmentStore;
  readonly options: HttpOptions;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly logger: Logger | undefined;
  /** Makes the id of the task that the request is about to create. */
  newTaskId(clientRequestId: string): string;
}

const fileFields: readonly (string | undefined)[] = ['attachment', 'attachments'];
const isTextField = (name: string | undefined): name is TextField => (textFields as readonly (string | undefined)[]).includes(name);
/** A part under a file field is a file by its name, or by a content type that no text has. */
const isFile = ({ name, fileName, contentType }: Part) =>
  fileFields.includes(name) && (fileName !== undefined || (contentType !== undefined && !contentType.startsWith('text/plain')));

/**
 * Takes a multipart create: files stream into the attachment store as they arrive, measured on the way, and nothing is left of them where
 * anything is refused or the client goes.
 *
 * Keys begin with the task's id, which needs `clientRequestId`. Where that comes after the first file, files are written under a prefix of
 * chance and moved at the end; what a crash leaves under either belongs to no task, and is swept.
 *
 * Throws `INVALID_REQUEST`, `UPLOAD_VALIDATION_ERROR` and `PAYLOAD_TOO_LARGE`. Source: protocol, "Multipart".
 */
export async function receiveUpload(req: IncomingMessage, tools: UploadTools): Promise<Upload> {
  const { attachments, options } = tools;
  const texts = new Map<TextField, Buffer>();
  const seen = new Set<TextField>();
  const reading: Promise<unknown>[] = [];
  const files: Promise<AttachmentReference>[] = [];
  const keys: string[] = [];
  let textBytes = 0;
  let clientRequestIdRead: Promise<void> | undefined;
  let prefixChosen: Promise<{ prefix: string; isTaskId: boolean }> | undefined;

  const choosePrefix = async () => {
    await clientRequestIdRead;
    if (!texts.has('clientRequestId')) return { prefix: tools.chance.hex(32), isTaskId: false };
    return { prefix: tools.newTaskId(requiredText(texts, 'clientRequestId')), isTaskId: true };
  };
  const takeText = async ({ name, bytes }: Part) => {
    const chunks: Buffer[] = [];
    for await (const chunk of bytes as AsyncIterable<Buffer>) {
      textBytes += chunk.length;
      if (textBytes > options.uploadFieldsBytesMax) throw payloadTooLarge('The text of the fields together', options.uploadFieldsBytesMax);
      if (isTextField(name)) chunks.push(chunk);
    }
    if (isTextField(name)) texts.set(name, Buffer.concat(chunks));
  };
  const takeFile = async (part: Part, index: number, about: Pick<AttachmentReference, 'fieldName' | 'fileName' | 'contentType'>) => {
    prefixChosen ??= choosePrefix();
    const key = `${(await prefixChosen).prefix}/${index}`;
    keys.push(key);
    const measure: Measure = { bytes: 0, sha256: '' };
    const tooLarge = () => {
      const error = fileTooLarge(about.fileName, options.uploadBytesMax);
      // Said here too: an attachment store may wrap what its source throws.
      parts.fail(error);
      throw error;
    };
    await attachments.put(key, measured(part.bytes, measure, options.uploadBytesMax, tooLarge));
    return { key, ...about, ...measure };
  };
  const watch = <T>(work: Promise<T>): Promise<T> => {
    work.catch((error: Error) => parts.fail(error));
    reading.push(work);
    return work;
  };
  const onPart = (part: Part) => {
    const { name, fileName, contentType = 'application/octet-stream' } = part;
    if (isFile(part)) {
      if (files.length >= options.uploadFilesMax) throw tooManyFiles(options.uploadFilesMax);
      const about = { fieldName: name ?? '', fileName: uploadedFileName(fileName), contentType: contentType.slice(0, 255) };
      assertContentType(contentType, options.uploadContentTypes, about.fileName);
      files.push(watch(takeFile(part, files.length, about)));
    } else if (isTextField(name) || fileName === undefined) {
      if (isTextField(name) && seen.has(name)) throw givenTwice(name);
      if (isTextField(name)) seen.add(name);
      const work = watch(takeText(part));
      if (name === 'clientRequestId') clientRequestIdRead = work;
    } else part.bytes.resume();
  };
  const discard = () => removeAll(keys, tools);
  const parts = readParts(req, options, tools.clock, onPart);
  try {
    await parts.done;
    await Promise.all(reading);
    const taken = await Promise.all(files);
    const chosen = await prefixChosen;
    const taskId = chosen?.isTaskId ? chosen.prefix : tools.newTaskId(requiredText(texts, 'clientRequestId'));
    const settled = chosen?.prefix === taskId ? taken : await move(taken, taskId, keys, attachments);
    return { texts, attachments: settled, taskId, discard };
  } catch (error) {
    await Promise.allSettled(reading);
    await discard();
    throw error;
  }
}

async function move(taken: readonly AttachmentReference[], taskId: string, keys: string[], store: AttachmentStore) {
  const moved: AttachmentReference[] = [];
  for (const [index, reference] of taken.entries()) {
    const key = `${taskId}/${index}`;
    keys.push(key);
    await store.put(key, await store.open(reference.key));
    await store.remove(reference.key);
    moved.push({ ...reference, key });
  }
  return moved;
}

async function removeAll(keys: readonly string[], { attachments, logger }: UploadTools): Promise<void> {
  const results = await Promise.allSettled(keys.map((key) => attachments.remove(key)));
  for (const result of results) {
    const error: unknown = result.status === 'rejected' ? result.reason : undefined;
    if (error !== undefined) logger?.warn('An uploaded file could not be removed; the sweeper will.', { error });
  }
}

function fileTooLarge(fileName: string, bytesMax: number): TaskBridgeError {
  return new TaskBridgeError('UPLOAD_VALIDATION_ERROR', `${JSON.stringify(fileName)} is larger than ${bytesMax} bytes.`, { details: { fileName, bytesMax } });
}

function tooManyFiles(filesMax: number): TaskBridgeError {
  return new TaskBridgeError('UPLOAD_VALIDATION_ERROR', `The request has more than ${filesMax} files.`, { details: { filesMax } });
}

function givenTwice(name: string): TaskBridgeError {
  return new TaskBridgeError('INVALID_REQUEST', `The field ${name} is given twice.`);
}
