import type { RawData } from 'ws';
import { jsonExcess } from '../../json-scan.ts';
import { schemaFaults } from '../../schema-faults.ts';
import { subscribeFrame, unsubscribeFrame, type SubscribeFrame, type UnsubscribeFrame } from '../../../machines/wire/index.ts';

/** What a client sent, or what is wrong with it. */
export type ClientFrame =
  | SubscribeFrame
  | UnsubscribeFrame
  /** Asks for a task by name, in a way that cannot be granted; with the field, and what it must be. */
  | { readonly action: 'refused'; readonly taskId: string; readonly fault: string }
  | { readonly action: 'unreadable' };

/** No frame of a client has a tenth of it: whatever has more is not made into objects. */
const frameBounds = { valuesMax: 100, nestingMax: 10 };
/** Source: RFC 6455, section 5.5. */
const REASON_BYTES_MAX = 123;

const unreadable: ClientFrame = { action: 'unreadable' };

/** Reads a text frame. Such frames come whole and as one buffer, the default `binaryType`. */
export function readClientFrame(data: RawData): ClientFrame {
  let value: unknown;
  if (jsonExcess(data as Buffer, frameBounds)) return unreadable;
  try {
    value = JSON.parse((data as Buffer).toString('utf8'));
  } catch {
    return unreadable;
  }
  const unsubscribe = unsubscribeFrame.safeParse(value);
  if (unsubscribe.success) return unsubscribe.data;
  const subscribe = subscribeFrame.safeParse(value);
  if (subscribe.success) return subscribe.data;
  const { action, taskId } = (value ?? {}) as { readonly action?: unknown; readonly taskId?: unknown };
  if (action !== 'subscribe' || typeof taskId !== 'string') return unreadable;
  const [fault] = schemaFaults(subscribe.error.issues, value);
  return { action: 'refused', taskId, fault: reasonOf(`${fault?.path ?? ''} ${fault?.reason ?? ''}`) };
}

/** As much of a text as a close frame takes. What a client named is in it: no character is cut in two. */
function reasonOf(text: string): string {
  const characters = Array.from(text.trim().slice(0, REASON_BYTES_MAX));
  while (Buffer.byteLength(characters.join('')) > REASON_BYTES_MAX) characters.pop();
  return characters.join('');
}
