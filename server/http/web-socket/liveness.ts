import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import { timerAfter } from '../../live/timer.ts';
import type { Clock } from '../../ports/clock.ts';

/**
 * Pings a WebSocket with every heartbeat and breaks it when nothing at all was heard between two of them: a peer that vanished without a
 * word is gone after two heartbeats. One that has not taken what it was sent is left to the rule for stalled viewers, since the ping
 * would wait behind that. Gives the function that ends it.
 */
export function keepAlive(ws: WebSocket, socket: Socket, clock: Clock, heartbeatMs: number): () => void {
  let readAtPing: number | undefined;
  let cancel = timerAfter(clock, heartbeatMs, beat);

  function beat(): void {
    // Its close may have been before anybody listened: nothing is left to ping.
    if (ws.readyState === ws.CLOSED) return;
    if (socket.writableLength > 0) readAtPing = undefined;
    else if (readAtPing === socket.bytesRead) return ws.terminate();
    else if (ws.readyState === ws.OPEN) {
      readAtPing = socket.bytesRead;
      ws.ping();
    }
    cancel = timerAfter(clock, heartbeatMs, beat);
  }

  return () => cancel();
}
