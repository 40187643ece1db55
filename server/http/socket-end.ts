import type { Socket } from 'node:net';

/** `end`: the other side sends no more. `close`: the connection is gone. */
type End = 'end' | 'close';

const known: Readonly<Record<End, WeakMap<Socket, Set<() => void>>>> = { end: new WeakMap(), close: new WeakMap() };

/**
 * Calls back once when a connection ends, at once where it has ended before; gives the function that calls it off. A response is told of that only while it is the
 * connection's current one: those that wait behind it in a pipeline would never hear of it. One listener for all of a connection.
 */
export function onSocketEnd(socket: Socket, end: End, callback: () => void): () => void {
  // Whoever left while credentials or the store were asked says so only once.
  if (end === 'close' ? socket.destroyed : socket.readableEnded || socket.destroyed) {
    callback();
    return () => undefined;
  }
  const waiting = known[end].get(socket) ?? listen(socket, end);
  waiting.add(callback);
  return () => void waiting.delete(callback);
}

function listen(socket: Socket, end: End): Set<() => void> {
  const waiting = new Set<() => void>();
  known[end].set(socket, waiting);
  socket.once(end, () => {
    for (const callback of [...waiting]) callback();
    waiting.clear();
  });
  return waiting;
}
