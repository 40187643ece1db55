import type { TransportName, Fact, Gap, UnknownFact } from '../machines/wire/index.ts';
import type { CallContext } from './auth/credentials.ts';

/** Whose connection it was. */
export interface TransportMoment {
  readonly taskId: string;
  /** That of the observation. */
  readonly context: CallContext | undefined;
}

/**
 * Told what happens on the wire, as it happens: for diagnosis and metrics. Decides nothing, and is given payloads: mind where they go. What a
 * hook throws is reported (`hook`) and loses nothing. The names are those of the protocol's other clients.
 */
export interface TransportListener {
  /** A WebSocket was lost before its subscription was confirmed. */
  onWsSetupFailed(moment: TransportMoment & { readonly reason: string }): void;
  /** A stream was lost before its first bytes. */
  onSseSetupFailed(moment: TransportMoment & { readonly reason: string }): void;
  /** The next try is made with server-sent events instead of a WebSocket. */
  onFallbackToSse(moment: TransportMoment): void;
  /** The next try is made with long polls. */
  onFallbackToPolling(moment: TransportMoment): void;
  /** A fact came by long poll. */
  onPollEvent(moment: TransportMoment & { readonly fact: Fact | UnknownFact }): void;
  /** A fact came by server-sent events. */
  onSseEvent(moment: TransportMoment & { readonly fact: Fact | UnknownFact }): void;
  /** Text came, whatever it is and by whichever transport; before it is looked at. */
  onRawPayload(moment: TransportMoment & { readonly source: TransportName; readonly text: string }): void;
  /** The same, by WebSocket: one frame. */
  onWsRawMessage(moment: TransportMoment & { readonly text: string }): void;
  /** The same, by server-sent events: the data of one event. */
  onSseRawEvent(moment: TransportMoment & { readonly text: string }): void;
  /** The same, by long poll: the body of one answer. */
  onPollRawResponse(moment: TransportMoment & { readonly text: string }): void;
  /** Nothing could be told from a frame or an event of a page; it was skipped. `text` is what it was; undefined for a binary frame. */
  onMalformedWirePayload(
    moment: TransportMoment & { readonly source: TransportName; readonly reason: string; readonly text: string | undefined },
  ): void;
  /** Facts are missing, or the history was replaced; `firstEventId` is where it goes on. */
  onGap(moment: TransportMoment & Gap & { readonly source: TransportName }): void;
}

/** Tells the hooks of one text that came. */
export function tellRaw(listener: Partial<TransportListener>, moment: TransportMoment, source: TransportName, text: string): void {
  listener.onRawPayload?.({ ...moment, source, text });
  if (source === 'ws') listener.onWsRawMessage?.({ ...moment, text });
  else if (source === 'sse') listener.onSseRawEvent?.({ ...moment, text });
  else listener.onPollRawResponse?.({ ...moment, text });
}
