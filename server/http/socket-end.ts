import { setMaxListeners } from 'node:events';
import type { Socket } from 'node:net';

/** `end`: the other side sends no more. `close`: the connection is gone. */
type End = 'end' | 'close';

const known: Readonly<Record<End, WeakMap<Socket, readonly (() => void)[]>>> = { end: new WeakMap(), close: new WeakMap() };

/**
 * Calls back once when a connection ends, at once where it has ended before. A response is told of that only while it is the connection's current one: those
 * that wait behind it in a pipeline would never hear of it. One listener for all of a connection.
 */
export function onSocketEnd(socket: Socket, end: End, callback: () => void): void {
  // Whoever left while credentials or the store were asked says so only once.
  if (end === 'close' ? socket.destroyed : socket.readableEnded || socket.destroyed) {
    callback();
    return;
  }
  const waiting = known[end].get(socket) ?? listen(socket, end);
  // Of their own size: a set takes four times as much, of each of many streams.
  known[end].set(socket, waiting.concat(callback));
}

/** Calls off what {@link onSocketEnd} was given. */
export function offSocketEnd(socket: Socket, end: End, callback: () => void): void {
  const waiting = known[end].get(socket);
  if (waiting)
    known[end].set(
      socket,
      waiting.filter((other) => other !== callback),
    );
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

function listen(socket: Socket, end: End): readonly (() => void)[] {
  socket.on(end, () => {
    const waiting = known[end].get(socket) ?? [];
    known[end].set(socket, []);
    for (const callback of waiting) callback();
  });
  return [];
}
