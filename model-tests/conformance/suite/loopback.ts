import type { AddressInfo, Server, Socket } from 'node:net';

/** A server that listens on a free port of this machine's own address. */
export interface Loopback {
  readonly port: number;
  readonly url: string;
  /** Connections that are open, upgraded ones included. */
  readonly sockets: ReadonlySet<Socket>;
  /** Cuts what is open and listens no longer. */
  close(): Promise<void>;
}

/** Lets a server listen, of HTTP or bare TCP; resolves when it does. */
export async function onLoopback(server: Server): Promise<Loopback> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A server that listens on TCP has such an address.
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    sockets,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
