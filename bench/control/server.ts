import { createServer, type AddressInfo } from 'node:net';
import { onLines } from './lines.ts';
import type { Order, Reply, Verbs } from './verbs.ts';

/**
 * Takes orders on a port of its own, says on the standard output where, beside whatever else the parent must know, and ends when its
 * standard input does: so that no process outlives the bench.
 */
export async function serveControl<T extends Verbs<T>>(verbs: T, about: Readonly<Record<string, unknown>> = {}): Promise<void> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    onLines(socket, (line) => {
      // Written by our own client.
      const order = line as Order;
      void obey(verbs, order).then((reply) => {
        if (reply && socket.writable) socket.write(`${JSON.stringify(reply)}\n`);
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port: control } = server.address() as AddressInfo;
  process.stdout.write(`${JSON.stringify({ ...about, control })}\n`);
  process.stdin.resume().once('close', () => process.exit(0));
  // The parent ends its children itself, and in order.
  process.on('SIGINT', () => undefined);
}

async function obey<T extends Verbs<T>>(verbs: T, { id, verb, parameter }: Order): Promise<Reply | undefined> {
  try {
    // The other side is typed by the same verbs.
    const calls = verbs as unknown as Readonly<Record<string, (parameter: unknown) => unknown>>;
    const call = calls[verb];
    if (!call) throw new Error(`There is no verb ${verb}.`);
    const answer = await call(parameter);
    return id === undefined ? undefined : { id, answer };
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    if (id === undefined) console.error(text);
    return id === undefined ? undefined : { id, error: text };
  }
}
