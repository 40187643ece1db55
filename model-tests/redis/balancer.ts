import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** One address for several nodes: each connection goes to the next of them that takes it. */
export interface Balancer {
  readonly url: string;
  close(): Promise<void>;
}

/** Starts it over the ports that the nodes have at the time of each connection. */
export async function startBalancer(ports: () => readonly number[]): Promise<Balancer> {
  const open = new Set<Socket>();
  let turn = 0;
  const server = createServer((client) => {
    open.add(client);
    client.on('error', () => undefined);
    client.on('close', () => open.delete(client));
    turn += 1;
    const [first, ...others] = rotated(ports(), turn);
    join(client, first, others);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function join(client: Socket, port: number | undefined, others: readonly number[]): void {
  if (port === undefined) return void client.destroy();
  const node = connect(port, '127.0.0.1');
  node.once('connect', () => {
    client.pipe(node).pipe(client);
    client.once('close', () => node.destroy());
    node.once('close', () => client.destroy());
  });
  let isOpen = false;
  node.once('connect', () => (isOpen = true));
  node.on('error', () => {
    if (isOpen) client.destroy();
    else join(client, others[0], others.slice(1));
  });
}

function rotated(ports: readonly number[], by: number): readonly number[] {
  const at = by % Math.max(1, ports.length);
  return [...ports.slice(at), ...ports.slice(0, at)];
}
