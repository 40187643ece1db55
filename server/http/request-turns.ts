import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { onSocketEnd } from './socket-end.ts';

/** What turns are given by. */
export interface RequestTurnsDeps {
  /** Requests of one connection that may wait for an answer before theirs; one more ends the connection. */
  readonly pipelinedMax: number;
}

/** The requests of one connection. */
interface Line {
  isBusy: boolean;
  readonly waiting: (() => void)[];
}

/**
 * One request of a connection after the other. Node hands over all that a client has put into one packet at once, hundreds of requests, and
 * keeps their answers; here the next one begins when the kernel has taken the answer before. HTTP/2 has a window for each of its streams, and no turns.
 */
export class RequestTurns {
  readonly #deps: RequestTurnsDeps;
  readonly #lines = new WeakMap<Socket, Line>();
  readonly #cut = new WeakSet<Socket>();

  constructor(deps: RequestTurnsDeps) {
    this.#deps = deps;
  }

  /** Resolves when it is a request's turn: true, or false where its connection has ended and nobody is left to be answered. */
  async take(req: IncomingMessage, res: ServerResponse): Promise<boolean> {
    if (req.httpVersionMajor > 1) return true;
    const { socket } = req;
    const line = this.#lines.get(socket) ?? this.#lineOf(socket);
    if (socket.destroyed) return false;
    if (line.isBusy) {
      // Whoever sends more than that reads nothing, and whatever is said to him waits with the rest.
      if (line.waiting.length >= this.#deps.pipelinedMax) {
        this.#cut.add(socket);
        socket.destroy();
      }
      if (socket.destroyed) return false;
      await new Promise<void>((resolve) => line.waiting.push(resolve));
      // An answer that was cut took the connection with it.
      if (socket.destroyed) return false;
    }
    line.isBusy = true;
    res.on('close', () => this.#next(line));
    return true;
  }

  /** True for what came in the same packet as one request too many: Node hands it over all the same, and nothing is worth doing for it. */
  hasCut({ socket }: IncomingMessage): boolean {
    return this.#cut.has(socket);
  }

  #lineOf(socket: Socket): Line {
    const line: Line = { isBusy: false, waiting: [] };
    this.#lines.set(socket, line);
    // A response that waits behind another one is never told.
    onSocketEnd(socket, 'close', () => {
      for (const resolve of line.waiting.splice(0)) resolve();
    });
    return line;
  }

  #next(line: Line): void {
    const next = line.waiting.shift();
    if (next) next();
    else line.isBusy = false;
  }
}
