import { sseStreamDefaults, sseStreamSettings, type SseStreamSettings } from './sse/settings.ts';
import { webSocketStreamDefaults, webSocketStreamSettings, type WebSocketStreamSettings } from './web-socket/settings.ts';

/** What a host may set of the two streams. What holds for both alike (times, limits of owners, bytes) stands in `LiveOptions`. */
export interface StreamSettings {
  readonly sse: SseStreamSettings;
  readonly webSocket: WebSocketStreamSettings;
}

/** What a host says of it; the defaults hold for the rest. */
export type GivenStreamSettings = { readonly [K in keyof StreamSettings]?: Partial<StreamSettings[K]> };

/** What holds where the host says nothing. */
export const streamDefaults: StreamSettings = { sse: sseStreamDefaults, webSocket: webSocketStreamDefaults };

/** Fills in the defaults. Throws a `RangeError` that says which setting is wrong, and why. */
export function streamSettings(given: GivenStreamSettings = {}): StreamSettings {
  for (const name of Object.keys(given))
    if (!Object.hasOwn(streamDefaults, name))
      throw new RangeError(`streams.${name} is no stream; known are ${Object.keys(streamDefaults).join(', ')}.`);
  return { sse: sseStreamSettings(given.sse), webSocket: webSocketStreamSettings(given.webSocket) };
}
