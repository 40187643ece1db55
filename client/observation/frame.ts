import type { Gap, UnknownFact } from '../../machines/wire/index.ts';

/** What one frame, or one event of a page, turned out to be. */
export type DecodedFrame =
  | { readonly kind: 'confirmed'; readonly extensions: unknown }
  | { readonly kind: 'heartbeat'; readonly extensions: unknown }
  | { readonly kind: 'gap'; readonly gap: Gap }
  | { readonly kind: 'fact'; readonly fact: UnknownFact }
  /** Nothing can be told from it, for this reason. */
  | { readonly kind: 'malformed'; readonly reason: string };

const malformed = (reason: string): DecodedFrame => ({ kind: 'malformed', reason });

/** Reads a frame as far as its envelope goes: payloads are passed on as they are. */
export function readFrame(value: unknown, ownTaskId: string): DecodedFrame {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return malformed('no object');
  const frame = value as { readonly [key: string]: unknown };
  const { type, taskId, eventId, createdAt, payload } = frame;
  if (typeof type !== 'string' || typeof taskId !== 'string') return malformed('no type or task id');
  if (taskId !== ownTaskId) return malformed('another task');
  if (type === 'SUBSCRIPTION_CONFIRMED') return { kind: 'confirmed', extensions: frame['extensions'] };
  if (type === 'HEARTBEAT') return { kind: 'heartbeat', extensions: (payload as { extensions?: unknown } | null | undefined)?.extensions };
  if (type === 'GAP') {
    const gap = readGap(frame['reason'] === undefined ? payload : frame);
    return gap ? { kind: 'gap', gap } : malformed('a gap without a reason');
  }
  if (typeof eventId !== 'string' || eventId === '' || typeof createdAt !== 'string') return malformed('no event id or time');
  // Its envelope was checked; an odd payload of a known type is delivered as it is and folded leniently.
  return { kind: 'fact', fact: frame as unknown as UnknownFact };
}

/** Reads what says why a cursor could not be continued from; undefined where it says nothing. */
export function readGap(value: unknown): Gap | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { reason, firstEventId } = value as { reason?: unknown; firstEventId?: unknown };
  if (reason !== 'trimmed' && reason !== 'reset') return undefined;
  return { reason, firstEventId: typeof firstEventId === 'string' ? firstEventId : null };
}
