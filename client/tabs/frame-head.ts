import { isStart } from '../../machines/wire/index.ts';
import { parseObject } from '../commands/answer.ts';

/** As much of a frame as says who must have it. */
export interface FrameHead {
  readonly type: string | undefined;
  /** Of a fact. */
  readonly eventId: string | undefined;
  /** The whole frame, where it was read whole. */
  readonly whole: { readonly [key: string]: unknown } | undefined;
}

const FACT = /^\{"type":"(TASK_\w+)","taskId":"[^"\\]+","eventId":"([^"\\]+)"/;

/** Reads the head of a frame. Of a fact as our server writes it only the beginning is looked at. */
export function readFrameHead(text: string): FrameHead {
  const [, type, eventId] = FACT.exec(text) ?? [];
  if (eventId !== undefined) return { type, eventId, whole: undefined };
  const whole = parseObject(text);
  return {
    type: typeof whole?.['type'] === 'string' ? whole['type'] : undefined,
    eventId: typeof whole?.['eventId'] === 'string' ? whole['eventId'] : undefined,
    whole,
  };
}

/** The cursor of a subscription; null for the start. Undefined where the text subscribes to nothing. */
export function readCursor(text: string): string | null | undefined {
  const frame = parseObject(text);
  if (frame?.['action'] !== 'subscribe') return undefined;
  const cursor = frame['lastEventId'];
  return typeof cursor === 'string' && !isStart(cursor) ? cursor : null;
}
