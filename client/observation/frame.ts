import type { Gap, UnknownFact } from '../../machines/wire/index.ts';
import { isObject } from '../commands/answer.ts';

/** What one frame, or one event of a page, turned out to be. */
export type DecodedFrame =
  | { readonly kind: 'confirmed'; readonly extensions: unknown }
  /** A heartbeat, or a control frame of a type that this version does not know: the server lives. */
  | { readonly kind: 'life'; readonly isHeartbeat: boolean; readonly extensions: unknown }
  | { readonly kind: 'gap'; readonly gap: Gap }
  | { readonly kind: 'fact'; readonly fact: UnknownFact }
  /** Nothing can be told from it, for this reason. */
  | { readonly kind: 'malformed'; readonly reason: string };

const malformed = (reason: string): DecodedFrame => ({ kind: 'malformed', reason });

/**
 * Reads a frame as far as its envelope goes: payloads are passed on as they are. `isUnnumbered` where it came as an event without an id, as
 * control frames do on server-sent events, in the envelope of a fact.
 */
export function readFrame(frame: unknown, ownTaskId: string, isUnnumbered = false): DecodedFrame {
  if (!isObject(frame)) return malformed('no object');
  const { type, taskId, eventId, createdAt, payload } = frame;
  if (typeof type !== 'string' || typeof taskId !== 'string') return malformed('no type or task id');
  if (taskId !== ownTaskId) return malformed('another task');
  if (type === 'SUBSCRIPTION_CONFIRMED') return { kind: 'confirmed', extensions: frame['extensions'] };
  if (type === 'GAP') {
    const gap = readGap(frame['reason'] === undefined ? payload : frame);
    return gap ? { kind: 'gap', gap } : malformed('a gap without a reason');
  }
  const isHeartbeat = type === 'HEARTBEAT';
  const hasEnvelope = typeof eventId === 'string' && eventId !== '' && typeof createdAt === 'string';
  // What is newer than this client is no fault of the connection; a fact without its envelope is.
  if (isHeartbeat || ((isUnnumbered || !hasEnvelope) && !type.startsWith('TASK_')))
    return { kind: 'life', isHeartbeat, extensions: isObject(payload) ? payload['extensions'] : undefined };
  if (!hasEnvelope) return malformed('no event id or time');
  // Its envelope was checked; an odd payload of a known type is delivered as it is and folded leniently, but for one that is no object at all.
  return { kind: 'fact', fact: (isObject(payload) ? frame : { ...frame, payload: {} }) as unknown as UnknownFact };
}

/** Reads what says why a cursor could not be continued from; undefined where it says nothing. */
export function readGap(value: unknown): Gap | undefined {
  if (!isObject(value)) return undefined;
  const { reason, firstEventId } = value;
  if (reason !== 'trimmed' && reason !== 'reset') return undefined;
  return { reason, firstEventId: typeof firstEventId === 'string' ? firstEventId : null };
}
