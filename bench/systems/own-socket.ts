import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A socket of this process to itself: sends bytes, and resolves when the other end has them all. */
export async function ownSocket(): Promise<(bytes: Uint8Array) => Promise<void>> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const accepted = once(server, 'connection');
  const near = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [far] = (await accepted) as [Socket];
  let left = 0;
  let arrived: (() => void) | undefined;
  far.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left === 0) arrived?.();
  });
  return (bytes) =>
    new Promise((resolve) => {
      left = bytes.byteLength;
      arrived = resolve;
      near.write(bytes);
    });
}
