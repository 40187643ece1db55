import { readPartCursors, type PartCursors } from '../../machines/parts/index.ts';

/** Additions to the protocol that a stream's client may ask for in its query (`extensions=gap,…`). Source: protocol, "Extensions". */
export const streamExtensions = ['gap', 'parts'] as const;
/** The same on a WebSocket, which can show several tasks. */
export const socketExtensions = [...streamExtensions, 'multiplex'] as const;

/** An addition to the protocol that this server knows. */
export type StreamExtension = (typeof socketExtensions)[number];

/**
 * True where a client says that it came down from a higher transport, since that failed. Counted, and never granted: nothing changes by it.
 * Source: protocol, "Extensions".
 */
export function saysFallback(query: string | null | undefined): boolean {
  return query?.split(',').some((name) => name.trim() === 'fallback') ?? false;
}

/**
 * Of what a client asked for, what is `known` is granted, `parts` where the store keeps them; undefined where it asked for nothing, and is told nothing.
 * Unknown ones are ignored.
 */
export function grantedExtensions(
  query: string | null | undefined,
  known: readonly StreamExtension[] = streamExtensions,
  hasParts = false,
): readonly StreamExtension[] | undefined {
  if (query == null || query === '') return undefined;
  const asked = new Set(query.split(',').map((name) => name.trim()));
  return known.filter((name) => asked.has(name) && (name !== 'parts' || hasParts));
}

/** How far a client has come in parts, where that was granted; undefined where it is shown none. What it says is checked. */
export function askedParts(granted: readonly StreamExtension[] | undefined, cursors: string | null | undefined): PartCursors | undefined {
  return granted?.includes('parts') ? readPartCursors(cursors ?? '') : undefined;
}
