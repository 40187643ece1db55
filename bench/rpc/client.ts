import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { onLines } from './json-lines.ts';
import type { MethodResult, MethodParameter, MethodReply, Methods } from './methods.ts';

interface Waiter {
  resolve(answer: unknown): void;
  reject(error: Error): void;
}

/** A process as another one gives it orders. */
export class RpcClient<T extends Methods<T>> {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, Waiter>();
  #id = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    onLines(socket, (line) => this.#settle(line as MethodReply));
    socket.on('error', () => undefined);
    socket.once('close', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('The process ended before it answered.'));
      this.#waiting.clear();
    });
  }

  static async connect<T extends Methods<T>>(port: number): Promise<RpcClient<T>> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new RpcClient<T>(socket);
  }

  /** Gives an order and waits for its answer; rejects with what went wrong there. */
  ask<K extends keyof T & string>(method: K, parameter: MethodParameter<T, K>): Promise<MethodResult<T, K>> {
    return new Promise((resolve, reject) => {
      const id = ++this.#id;
      this.#waiting.set(id, { resolve: resolve as (answer: unknown) => void, reject });
      this.#socket.write(`${JSON.stringify({ id, method, parameter })}\n`);
    });
  }

  /** Gives an order that nobody answers. */
  tell<K extends keyof T & string>(method: K, parameter: MethodParameter<T, K>): void {
    this.#socket.write(`${JSON.stringify({ method, parameter })}\n`);
  }

  close(): void {
    this.#socket.destroy();
  }

  #settle(reply: MethodReply): void {
    const waiter = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if ('error' in reply) waiter?.reject(new Error(reply.error));
    else waiter?.resolve(reply.answer);
  }
}
