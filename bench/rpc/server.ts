import { createServer, type AddressInfo } from 'node:net';
import { onLines } from './json-lines.ts';
import type { MethodCall, MethodReply, Methods } from './methods.ts';

/**
 * Takes orders on a port of its own, says on the standard output where, beside whatever else the parent must know, and ends when its
 * standard input does: so that no process outlives the bench.
 */
export async function serveRpc<T extends Methods<T>>(methods: T, about: Readonly<Record<string, unknown>> = {}): Promise<void> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    onLines(socket, (line) => {
      // Written by our own client.
      const order = line as MethodCall;
      void obey(methods, order).then((reply) => {
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

async function obey<T extends Methods<T>>(methods: T, { id, method, parameter }: MethodCall): Promise<MethodReply | undefined> {
  try {
    // The other side is typed by the same methods.
    const calls = methods as unknown as Readonly<Record<string, (parameter: unknown) => unknown>>;
    const call = calls[method];
    if (!call) throw new Error(`There is no method ${method}.`);
    const answer = await call(parameter);
    return id === undefined ? undefined : { id, answer };
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    if (id === undefined) console.error(text);
    return id === undefined ? undefined : { id, error: text };
  }
}
