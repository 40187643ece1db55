/** Additions to the protocol that a stream's client may ask for in its query (`extensions=gap,…`). Source: protocol, "WebSocket". */
export const streamExtensions = ['gap'] as const;

/** An addition to the protocol that this server knows. */
export type StreamExtension = (typeof streamExtensions)[number];

/** Of what a client asked for, what this server grants; undefined where it asked for nothing, and is told nothing. Unknown ones are ignored. */
export function grantedExtensions(query: string | null | undefined): readonly StreamExtension[] | undefined {
  if (query == null || query === '') return undefined;
  const asked = new Set(query.split(',').map((name) => name.trim()));
  return streamExtensions.filter((name) => asked.has(name));
}
