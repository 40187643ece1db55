import type { WebSocket } from 'ws';
import { OwnerCount, type CountByOwner } from '../../live/owner-count.ts';

/** Sockets that may become viewers at any moment, and count as such. */
export class WaitingSockets {
  readonly #byOwner = new OwnerCount();
  readonly #leave = new Map<WebSocket, () => void>();

  get count(): CountByOwner {
    return this.#byOwner;
  }

  /** Does nothing for one that is here. */
  add(ws: WebSocket, owner: string): void {
    if (!this.#leave.has(ws)) this.#leave.set(ws, this.#byOwner.enter(owner));
  }

  /** Does nothing for one that is not here. */
  delete(ws: WebSocket): void {
    this.#leave.get(ws)?.();
    this.#leave.delete(ws);
  }

  /** Breaks all of them. */
  terminate(): void {
    for (const ws of this.#leave.keys()) ws.terminate();
  }
}
