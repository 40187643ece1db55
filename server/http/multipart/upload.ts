import type { IncomingMessage } from 'node:http';
import type { AttachmentReference, AttachmentStore } from '../../ports/attachments.ts';
import type { ServerChance } from '../../ports/chance.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/observability.ts';
import type { HttpOptions } from '../options.ts';
import { validationError } from '../validation.ts';
import { isTextField, optionalText, requiredText, textFields, type TextParts } from './fields.ts';
import { createFileWriter, isAttachment, isFileField, putFile } from './files.ts';
import { readParts, type Part } from './parts.ts';
import { createTextReader } from './texts.ts';

/** Most names of fields that an answer lists, and characters of each: whoever sent them chose both. */
const [IGNORED_MAX, IGNORED_CHARACTERS_MAX] = [16, 100];

/** A multipart request that has arrived whole. */
export interface ReceivedUpload {
  readonly texts: TextParts;
  /** In the order in which they came, under keys that begin with `taskId`. */
  readonly attachments: readonly AttachmentReference[];
  readonly taskId: string;
  /** Names of fields whose files were thrown away: each once, 16 of them at most, 100 characters of each. */
  readonly ignoredFields: readonly string[];
  /** Removes every file of this upload. Never throws: what is left is found by the sweeper. */
  discard(): Promise<void>;
}

/** What an upload works with. */
export interface UploadDeps {
  readonly attachments: AttachmentStore;
  readonly options: HttpOptions;
  readonly clock: Clock;
  readonly chance: ServerChance;
  readonly logger: Logger | undefined;
  /** Makes the id of the task that the request is about to create. */
  newTaskId(clientRequestId: string): string;
  /** Throws for a type that nobody handles. */
  assertHandled(taskType: string, clientRequestId: string | undefined): void;
}

/**
 * Takes a multipart create: files stream into the attachment store as they arrive, measured on the way, and nothing is left of them where
 * anything is refused or the client goes.
 *
 * Keys begin with the task's id, which needs `clientRequestId`. Where that comes after the first file, files are written under a prefix of
 * chance and moved at the end; what a crash leaves under either belongs to no task, and is swept.
 *
 * Throws `INVALID_REQUEST`, `REQUEST_VALIDATION_ERROR` for text under an unknown name, `UPLOAD_VALIDATION_ERROR` and `PAYLOAD_TOO_LARGE`.
 * Files under an unknown name are thrown away and listed. Source: protocol, "Requests".
 */
export async function receiveUpload(req: IncomingMessage, deps: UploadDeps): Promise<ReceivedUpload> {
  const { attachments, options, clock, chance } = deps;
  const fields = createTextReader(options.uploadFieldsBytesMax);
  const { texts } = fields;
  const reading: Promise<unknown>[] = [];
  const writing: Promise<AttachmentReference>[] = [];
  const ignored = new Set<string>();
  let requestIdRead: Promise<void> | undefined;
  let taskId: string | undefined;

  const chooseTaskId = () => (taskId = deps.newTaskId(requiredText(texts, 'clientRequestId')));
  const choosePrefix = async () => {
    await requestIdRead;
    return texts.has('clientRequestId') ? chooseTaskId() : chance.hex(32);
  };
  let prefix: Promise<string> | undefined;
  const files = createFileWriter({ attachments, options, prefix: () => (prefix ??= choosePrefix()), fail: (error) => parts.fail(error) });

  const watch = <T>(work: Promise<T>): Promise<T> => {
    work.catch((error: Error) => parts.fail(error));
    reading.push(work);
    return work;
  };
  const onPart = (part: Part) => {
    if (isAttachment(part)) writing.push(watch(files.take(part)));
    else if (part.name === undefined) part.bytes.resume();
    else if (isTextField(part.name) || part.fileName === undefined) {
      assertKnown(part.name);
      const read = watch(fields.take(part));
      if (part.name === 'clientRequestId') requestIdRead = read;
      // Said early, so that no file is sent for nothing.
      if (part.name === 'taskType')
        void watch(read.then(() => deps.assertHandled(requiredText(texts, 'taskType'), optionalText(texts, 'clientRequestId'))));
    } else {
      if (ignored.size < IGNORED_MAX) ignored.add(part.name.slice(0, IGNORED_CHARACTERS_MAX));
      part.bytes.resume();
    }
  };
  const moved: string[] = [];
  const discard = () => removeAll([...files.keys, ...moved], deps);
  const parts = readParts(req, options, clock, onPart);
  try {
    await parts.done;
    await Promise.all(reading);
    const written = await Promise.all(writing);
    const ignoredFields = [...ignored];
    if (taskId !== undefined) return { texts, taskId, attachments: written, ignoredFields, discard };
    const id = chooseTaskId();
    return { texts, taskId: id, attachments: await move(written, id, moved, attachments), ignoredFields, discard };
  } catch (error) {
    await Promise.allSettled(reading);
    await discard();
    throw error;
  }
}

/** As in a JSON body, a text that nobody reads is a mistake of the caller. */
function assertKnown(name: string): void {
  if (isFileField(name)) throw validationError([{ path: name, reason: 'is no file: it has no file name' }]);
  if (!isTextField(name)) throw validationError([{ path: name, reason: `is unknown; known are ${textFields.join(', ')}` }]);
}

async function move(written: readonly AttachmentReference[], taskId: string, keys: string[], store: AttachmentStore) {
  const moved: AttachmentReference[] = [];
  for (const [index, reference] of written.entries()) {
    const key = `${taskId}/${index}`;
    keys.push(key);
    await putFile(store, key, await store.open(reference.key));
    await store.remove(reference.key);
    moved.push({ ...reference, key });
  }
  return moved;
}

/** Removes attachments that belong to no task. Never throws: what is left is found by the sweeper. */
export async function removeAll(
  keys: readonly string[],
  { attachments, logger }: Pick<UploadDeps, 'attachments' | 'logger'>,
): Promise<void> {
  const results = await Promise.allSettled(keys.map((key) => attachments.remove(key)));
  for (const result of results)
    if (result.status === 'rejected')
      logger?.warn('An uploaded file could not be removed; the sweeper will.', { error: result.reason as unknown });
}
