/** A way to watch a task: WebSocket, server-sent events, long poll. From the highest rung of the ladder to the lowest. */
export type TransportName = 'ws' | 'sse' | 'poll';
/** The rungs, highest first. */
export const transportNames = ['ws', 'sse', 'poll'] as const satisfies readonly TransportName[];
