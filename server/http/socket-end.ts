import { setMaxListeners } from 'node:events';
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

const signals = new WeakMap<Socket, AbortSignal>();

/** Aborts when a connection is gone. The same for all of its requests: to make one costs as much as to check a query. */
export function goneSignal(socket: Socket): AbortSignal {
  const made = signals.get(socket);
  if (made) return made;
  const gone = new AbortController();
  // Of HTTP/2, as many requests may wait at once as a connection has streams.
  setMaxListeners(0, gone.signal);
  signals.set(socket, gone.signal);
  onSocketEnd(socket, 'close', () => gone.abort());
  return gone.signal;
}

function listen(socket: Socket, end: End): Set<() => void> {
  const waiting = new Set<() => void>();
  known[end].set(socket, waiting);
  socket.on(end, () => {
    for (const callback of [...waiting]) callback();
    waiting.clear();
  });
  return waiting;
}
