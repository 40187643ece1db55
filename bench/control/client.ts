import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { onLines } from './lines.ts';
import type { Answer, Parameter, Reply, Verbs } from './verbs.ts';

interface Waiter {
  resolve(answer: unknown): void;
  reject(error: Error): void;
}

/** A process as another one gives it orders. */
export class Remote<T extends Verbs<T>> {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, Waiter>();
  #id = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    onLines(socket, (line) => this.#settle(line as Reply));
    socket.on('error', () => undefined);
    socket.once('close', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('The process ended before it answered.'));
      this.#waiting.clear();
    });
  }

  static async connect<T extends Verbs<T>>(port: number): Promise<Remote<T>> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new Remote<T>(socket);
  }

  /** Gives an order and waits for its answer; rejects with what went wrong there. */
  ask<K extends keyof T & string>(verb: K, parameter: Parameter<T, K>): Promise<Answer<T, K>> {
    return new Promise((resolve, reject) => {
      const id = ++this.#id;
      this.#waiting.set(id, { resolve: resolve as (answer: unknown) => void, reject });
      this.#socket.write(`${JSON.stringify({ id, verb, parameter })}\n`);
    });
  }

  /** Gives an order that nobody answers. */
  tell<K extends keyof T & string>(verb: K, parameter: Parameter<T, K>): void {
    this.#socket.write(`${JSON.stringify({ verb, parameter })}\n`);
  }

  close(): void {
    this.#socket.destroy();
  }

  #settle(reply: Reply): void {
    const waiter = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if ('error' in reply) waiter?.reject(new Error(reply.error));
    else waiter?.resolve(reply.answer);
  }
}
