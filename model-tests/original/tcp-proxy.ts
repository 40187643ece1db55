import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A wire between client and server that can be cut. It knows nothing of HTTP but the paths that it is told to block. */
export interface TcpProxy {
  readonly url: string;
  /** Connections made since the last look. */
  taken(): number;
  /** Resets every connection. */
  cut(): void;
  /** From now on resets a connection as soon as it asks for a path that ends so; replaces what was blocked before. */
  block(...endings: readonly string[]): void;
  close(): Promise<void>;
}

/** Listens on a free port and passes on to `port`. */
export async function startTcpProxy(port: number): Promise<TcpProxy> {
  const pairs = new Set<() => void>();
  let blocked: readonly string[] = [];
  let taken = 0;

  function pass(client: Socket): void {
    taken += 1;
    const upstream = connect(port, '127.0.0.1');
    const reset = (): void => {
      pairs.delete(reset);
      client.resetAndDestroy();
      upstream.resetAndDestroy();
    };
    pairs.add(reset);
    client.on('data', (chunk: Buffer) => {
      const path = /^[A-Z]+ ([^ ?]+)/.exec(chunk.toString('latin1', 0, 300))?.[1];
      if (path && blocked.some((ending) => path.endsWith(ending))) reset();
      else upstream.write(chunk);
    });
    upstream.on('data', (chunk) => client.write(chunk));
    // A proper end is passed on as one; anything else is a reset.
    client.on('end', () => upstream.end());
    upstream.on('end', () => client.end());
    for (const socket of [client, upstream]) socket.on('error', reset).on('close', () => pairs.delete(reset));
  }

  const server = createServer({ allowHalfOpen: true }, pass).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    taken() {
      const count = taken;
      taken = 0;
      return count;
    },
    cut() {
      for (const reset of [...pairs]) reset();
    },
    block(...endings) {
      blocked = endings;
    },
    async close() {
      for (const reset of [...pairs]) reset();
      server.close();
      await once(server, 'close');
    },
  };
}
