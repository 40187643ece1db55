import { createEventBuffer, type EventBuffer } from 'better-sse';
import type { Gap, SseGapFrame, SseHeartbeatFrame } from '../../../machines/wire/index.ts';
import type { Entry } from '../../ports/store.ts';

const UTF8 = new TextDecoder();
/** What goes in is one line already: envelopes are JSON on one line. */
const asItIs = { serializer: String, sanitizer: (text: string) => text };
type Events = WeakMap<readonly Entry[], Buffer>;
const [withIds, withoutIds]: readonly [Events, Events] = [new WeakMap(), new WeakMap()];

/**
 * Facts as they go over an SSE stream, made once for all viewers that get the same array. Without their ids where the stream shows several tasks:
 * one id would be no cursor of all of them.
 */
export function factEvents(entries: readonly Entry[], hasIds = true): Buffer {
  const cache = hasIds ? withIds : withoutIds;
  const known = cache.get(entries);
  if (known) return known;
  const events = createEventBuffer(asItIs);
  for (const { eventId, bytes } of entries) {
    if (hasIds) events.id(eventId);
    events.data(UTF8.decode(bytes)).dispatch();
  }
  const bytes = bytesOf(events);
  cache.set(entries, bytes);
  return bytes;
}

/** A frame that is no fact; without an id, so that it moves no cursor. */
export function dataEvent(frame: object): Buffer {
  return bytesOf(createEventBuffer(asItIs).data(JSON.stringify(frame)).dispatch());
}

/** A sign of life: a comment, and a data frame without an id for clients that count only those; either may be left out. */
export function heartbeatEvent({ comment, frame }: { readonly comment?: string; readonly frame?: SseHeartbeatFrame }): Buffer {
  const events = createEventBuffer(asItIs);
  if (comment !== undefined) events.comment(comment);
  if (frame) events.data(JSON.stringify(frame));
  return bytesOf(events.dispatch());
}

/** A comment of so many spaces, for proxies that pass nothing on until they have enough; nothing for 0. */
export function preamble(bytes: number): Buffer {
  return Buffer.from(bytes === 0 ? '' : `: preamble ${' '.repeat(bytes)}\n\n`);
}

/** Says that the cursor could not be continued from; without an id, so that it moves no cursor. */
export function gapEvent(frame: Omit<SseGapFrame, 'payload'> & { readonly payload: Gap }): Buffer {
  return dataEvent(frame);
}

function bytesOf(events: EventBuffer): Buffer {
  return Buffer.from(events.read());
}
