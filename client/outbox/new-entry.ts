import type { Chance } from '../clock.ts';
import { freshId } from '../clock.ts';
import type { ActRequest, StartRequest } from '../commands/commands.ts';
import { isBlob, isBytes, isNativeFile, sizeOf, type Attachment } from '../commands/upload.ts';
import { invalidArgument, TaskBridgeClientError } from '../errors.ts';
import { assertTaskId } from '../routes.ts';
import { ENTRY_VERSION, findStart, isPending, type OutboxCommand, type OutboxEntry, type OutboxTarget } from './entry.ts';
import type { OutboxLimits } from './options.ts';
import type { OutboxChange, OutboxStore, StoredEntry } from './store.ts';

/** Makes commands that can be kept: with ids, and as copies that their caller changes no more. */
export function commandsFor(store: OutboxStore, chance: Chance) {
  return {
    start({ attachments = [], ...rest }: StartRequest): OutboxCommand & { readonly type: 'start' } {
      const files = attachments.map((one) => keepable(one, store));
      const request = copyOf({ ...rest, clientRequestId: rest.clientRequestId ?? freshId(chance) });
      return { type: 'start', request: { ...request, ...(files.length > 0 && { attachments: files }) } };
    },
    act(target: OutboxTarget, request: ActRequest): OutboxCommand {
      return {
        type: 'act',
        target: readTarget(target),
        request: copyOf({ ...request, clientActionId: request.clientActionId ?? freshId(chance) }),
      };
    },
    cancel(target: OutboxTarget, reason?: string): OutboxCommand {
      return { type: 'cancel', target: readTarget(target), ...(reason !== undefined && { reason }) };
    },
  };
}

/** A command at the end of the queue. */
export function createEntry(command: OutboxCommand, id: string, addedAt: number): Omit<OutboxEntry, 'place'> {
  return { v: ENTRY_VERSION, id, addedAt, bytes: bytesOf(command), command, state: 'queued', wasSent: false };
}

/**
 * What adding an entry changes. Throws with code `OUTBOX_FULL` above a limit, `INVALID_ARGUMENT` where it is for a start that this outbox does
 * not know.
 */
export function placed(
  entry: Omit<OutboxEntry, 'place'>,
  ours: readonly OutboxEntry[],
  stored: readonly StoredEntry[],
  { pendingMax, bytesMax }: OutboxLimits,
): OutboxChange {
  const { command } = entry;
  if (command.type !== 'start' && typeof command.target === 'object' && !findStart(ours, command.target.clientRequestId))
    refuse(`No start with clientRequestId ${JSON.stringify(command.target.clientRequestId)} is in this outbox: name the task by its id.`);
  const waiting = ours.filter(isPending);
  const bytes = waiting.reduce((sum, one) => sum + one.bytes, 0);
  if (waiting.length >= pendingMax)
    overflow(`${waiting.length} commands wait already, and pendingMax is ${pendingMax}.`, { pending: waiting.length, pendingMax });
  if (bytes + entry.bytes > bytesMax)
    overflow(`${bytes} bytes wait already, and with ${entry.bytes} more they are above bytesMax (${bytesMax}).`, {
      bytes,
      added: entry.bytes,
      bytesMax,
    });
  const last = stored.reduce((highest, one) => (Number.isSafeInteger(one?.place) ? Math.max(highest, one.place) : highest), 0);
  return { keep: [{ ...entry, place: last + 1 }] };
}

function keepable({ fileName, contentType, content }: Attachment, { keepsBinary }: OutboxStore): Attachment {
  const kept = { fileName, ...(contentType !== undefined && { contentType }) };
  // Its address, not its bytes: the app leaves the file where it is until it was sent.
  if (isNativeFile(content)) return { ...kept, content: { uri: content.uri } };
  if (!isBytes(content) && !isBlob(content))
    refuse(`The attachment ${JSON.stringify(fileName)} is a stream or a factory of streams, which cannot be kept: give bytes or a Blob.`);
  if (!keepsBinary) refuse(`This store keeps text only, so ${JSON.stringify(fileName)} cannot be attached: use indexedDbOutbox.`);
  return { ...kept, content: isBytes(content) ? content.slice() : content };
}

function readTarget(target: OutboxTarget): OutboxTarget {
  if (typeof target === 'string') assertTaskId(target);
  else if (typeof target?.clientRequestId !== 'string')
    refuse('target must be a task id, or { clientRequestId } of a start in this outbox.');
  return typeof target === 'string' ? target : { clientRequestId: target.clientRequestId };
}

function copyOf<T extends object>(value: T): T {
  try {
    // A copy of what is sent as JSON has the shape of what was given, as far as it is sent.
    return JSON.parse(JSON.stringify(value)) as T;
  } catch (cause) {
    throw invalidArgument('The command is no JSON; see the cause.', cause);
  }
}

function bytesOf(command: OutboxCommand): number {
  const attachments = command.type === 'start' ? (command.request.attachments ?? []) : [];
  const files = attachments.reduce((sum, { content }) => sum + (isNativeFile(content) ? content.uri.length : (sizeOf(content) ?? 0)), 0);
  const text = JSON.stringify(command, (key, value: unknown) => (key === 'content' && attachments.length > 0 ? undefined : value));
  return new TextEncoder().encode(text).byteLength + files;
}

function refuse(message: string): never {
  throw invalidArgument(message);
}

function overflow(message: string, details: Readonly<Record<string, number>>): never {
  throw new TaskBridgeClientError('OUTBOX_FULL', message, { details, retryable: true });
}
