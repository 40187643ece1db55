import { Readable } from 'node:stream';
import { contentBytes } from '../caller/attachment-bytes.ts';
import { TaskBridgeError } from '../errors.ts';
import { uploadedContentType } from '../http/multipart/content-types.ts';
import { putFile } from '../http/multipart/files.ts';
import { measured, type Measure } from '../http/multipart/measured.ts';
import type { AttachmentStore } from '../ports/attachments.ts';
import type { ServerChance } from '../ports/chance.ts';
import type { AttemptRef, ListAttachment, NewWorkAttachment } from '../ports/executor.ts';
import { parseAttachments, storeAttachments, type MadeAttachment } from '../task/stored-attachments.ts';
import type { Command } from '../task/mailbox.ts';
import type { TaskSettings } from '../task/settings.ts';
import { sideValueNames } from '../task/task-record.ts';
import type { ExecutionRecord } from './execution-record.ts';

/** The files of a create have smaller numbers. */
const FIRST_NUMBER = 1_000;
/** Not blank, no path, nothing that a header or a terminal would take for more than text. */
const NAME = /^(?!\.{1,2}$)(?=.*\S)[^/\\\p{Cc}\p{Cs}]{1,256}$/u;

/** What files of work are kept with. */
export interface WorkAttachmentsDeps {
  readonly attachments: AttachmentStore | undefined;
  readonly chance: ServerChance;
  readonly settings: Pick<TaskSettings, 'attachmentsMax' | 'attachmentBytesMax'>;
}

/** What a file is listed by. */
export interface ListingDeps {
  /** True where nothing that this run says counts any more. */
  isFenced(execution: ExecutionRecord): boolean;
  execute(command: Command<Listing>): Promise<Listing>;
}

/** What became of a file. */
interface Listing {
  readonly status: 'listed' | 'fenced';
  /** The file that had this name. */
  readonly replaced?: MadeAttachment | undefined;
}

/**
 * Writes a file that work has made, and gives what lists it: in one commit, once its bytes are safe, and once however often it is asked. A crash in between
 * leaves a file that no task has, which is swept. Throws `REQUEST_VALIDATION_ERROR` for a name that cannot be one, `PAYLOAD_TOO_LARGE` and what the
 * attachment store throws.
 */
export async function attachFile(
  { taskId }: AttemptRef,
  { name, content, contentType }: NewWorkAttachment,
  deps: WorkAttachmentsDeps,
  listing: ListingDeps,
): Promise<ListAttachment> {
  const { attachments, chance, settings } = deps;
  if (typeof name !== 'string' || !NAME.test(name)) throw wrongName(name);
  if (!attachments)
    throw new TaskBridgeError(
      'UPLOAD_VALIDATION_ERROR',
      `The file ${JSON.stringify(name)} was not kept: there is no attachment store here.`,
    );
  const key = `${taskId}/${FIRST_NUMBER + Number.parseInt(chance.hex(7), 16)}`;
  const measure: Measure = { bytes: 0, sha256: '' };
  // An attachment store may wrap what its source throws.
  let refusal: Error | undefined;
  const refuse = (error: Error): void => void (refusal ??= error);
  const tooLarge = (): never => {
    const error = fileTooLarge(name, settings.attachmentBytesMax);
    refuse(error);
    throw error;
  };
  const source = Readable.from(contentBytes({ fileName: name, content }, passed, refuse));
  await putFile(attachments, key, measured(source, measure, settings.attachmentBytesMax, tooLarge)).catch((error: unknown) => {
    throw refusal ?? error;
  });
  const made: MadeAttachment = { key, name, contentType: uploadedContentType(contentType), ...measure };
  return async () => {
    const { status, replaced } = await listing.execute(listCommand(made, settings.attachmentsMax, listing));
    // What cannot be removed now is swept.
    const left = status === 'fenced' ? made : replaced;
    if (left) void attachments.remove(left.key).catch(() => undefined);
    return status;
  };
}

const passed = {
  async *read(source: AsyncIterable<unknown> | Iterable<unknown>): AsyncGenerator<unknown> {
    yield* source;
  },
};

/** Lists a file, in the place of one that had its name. */
function listCommand(made: MadeAttachment, filesMax: number, { isFenced }: Pick<ListingDeps, 'isFenced'>): Command<Listing> {
  const name = sideValueNames.attachments;
  return {
    source: 'work',
    needs: [name],
    decide(unit, sideValues) {
      const before = unit.sideValue(name) ?? sideValues.get(name);
      const files = before === undefined ? [] : parseAttachments(before);
      if (files.some(({ key }) => key === made.key)) return { status: 'listed' };
      if (unit.execution.endedAt !== null || isFenced(unit.execution)) return { status: 'fenced' };
      const replaced = files.find((file) => file.name === made.name);
      const others = files.filter((file) => file !== replaced);
      if (others.length >= filesMax) throw tooManyFiles(made.name, filesMax);
      const after = storeAttachments([...others, made]);
      const bytesMore = Buffer.byteLength(after) - Buffer.byteLength(before ?? '') + made.bytes - (replaced?.bytes ?? 0);
      unit.replaceSideValue(name, after, bytesMore);
      return { status: 'listed', replaced };
    },
  };
}

function wrongName(name: unknown): TaskBridgeError {
  const reason = 'must be 1 to 256 characters, not blank, without "/", "\\" and controls, and not "." or ".."';
  return new TaskBridgeError('REQUEST_VALIDATION_ERROR', `A file was not kept: its name ${JSON.stringify(name)?.slice(0, 80)} ${reason}.`, {
    details: { errors: [{ path: 'name', reason }] },
  });
}

function fileTooLarge(name: string, bytesMax: number): TaskBridgeError {
  const message = `The file ${JSON.stringify(name)} was not kept: it is larger than ${bytesMax} bytes (attachmentBytesMax).`;
  return new TaskBridgeError('PAYLOAD_TOO_LARGE', message, { details: { name, bytesMax } });
}

function tooManyFiles(name: string, filesMax: number): TaskBridgeError {
  const message = `The file ${JSON.stringify(name)} was not kept: a task may have ${filesMax} (attachmentsMax).`;
  return new TaskBridgeError('PAYLOAD_TOO_LARGE', message, { details: { name, filesMax } });
}
