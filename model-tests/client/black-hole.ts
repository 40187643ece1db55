import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A way to a server on which connections can die without a word, as they do when a phone changes its network. */
export interface BlackHole {
  readonly url: string;
  /** How many connections were made through it. */
  readonly made: number;
  /** Bytes that were sent on connections that are dead. */
  readonly swallowedBytes: number;
  /** From here on nothing goes through the connections that there are, in either direction, and none is ended; new ones are served. */
  swallow(): void;
  close(): Promise<void>;
}

/** Puts one before a server on loopback. */
export async function createBlackHole(serverUrl: string): Promise<BlackHole> {
  const { hostname, port } = new URL(serverUrl);
  const sockets = new Set<Socket>();
  const living = new Set<() => void>();
  let made = 0;
  let swallowedBytes = 0;
  const server = createServer((near) => {
    made += 1;
    const far = connect(Number(port), hostname);
    const end = (): void => {
      near.destroy();
      far.destroy();
    };
    const die = (): void => {
      near.unpipe(far);
      far.unpipe(near);
      far.off('close', end);
      far.destroy();
      near.on('data', ({ byteLength }: Buffer) => (swallowedBytes += byteLength));
      near.resume();
    };
    living.add(die);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', end);
    }
    near.on('close', () => living.delete(die));
    near.pipe(far).pipe(near);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get made() {
      return made;
    },
    get swallowedBytes() {
      return swallowedBytes;
    },
    swallow() {
      for (const die of living) die();
      living.clear();
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
