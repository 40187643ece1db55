import type { LiveConnection } from '../../live/connections.ts';
import { OwnerCount, type CountByOwner } from '../../live/owner-count.ts';

/** Sockets that may become viewers at any moment, and count as such. */
export class WaitingSockets {
  readonly #byOwner = new OwnerCount();
  readonly #sockets = new Set<LiveConnection>();

  get count(): CountByOwner {
    return this.#byOwner;
  }

  /** Does nothing for one that is here. */
  add(socket: LiveConnection): void {
    if (this.#sockets.has(socket)) return;
    this.#sockets.add(socket);
    this.#byOwner.enter(socket.auth.subject);
  }

  /** Does nothing for one that is not here. */
  delete(socket: LiveConnection): void {
    if (this.#sockets.delete(socket)) this.#byOwner.leave(socket.auth.subject);
  }

  /** Breaks all of them. */
  terminate(): void {
    for (const socket of this.#sockets) socket.end();
  }
}
