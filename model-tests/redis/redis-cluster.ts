import { Cluster, Redis } from 'ioredis';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { patience } from '../support/patience.ts';
import { startRedis, type RedisServer } from './redis-server.ts';

/** A stop on the way of a slot. */
export interface SlotMove {
  readonly keys: readonly string[];
  until(): Promise<void>;
}

/** A real cluster: masters that share the slots. */
export interface RedisCluster {
  readonly servers: readonly RedisServer[];
  /** Makes a client of it; to be closed by whoever asked. */
  client(): Cluster;
  /** Resolves when each server says that all slots are served, and knows the others. */
  becomesWhole(): Promise<void>;
  /** Which server has a slot now. */
  ownerOf(slot: number): Promise<number>;
  /**
   * Moves a slot with all its keys to another server, as `redis-cli` does: both sides are told, the keys are moved in small groups, then
   * everybody is told who has it. `halfway` names keys that are moved first, and what is waited for before the others follow.
   */
  move(slot: number, to: number, halfway?: SlotMove): Promise<void>;
  stop(): Promise<void>;
}

const SLOTS = 16_384;

/** Starts a cluster of masters. */
export async function startCluster(count = 3): Promise<RedisCluster> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const busPort = String(await freePort());
      // A busy machine answers late, and who is late for so long is taken for gone by the others.
      const timeout = ['--cluster-node-timeout', String(patience(2000))];
      return startRedis('--cluster-enabled', 'yes', '--cluster-port', busPort, ...timeout, '--appendonly', 'no');
    }),
  );
  const clients = servers.map(({ port }) => new Redis(port));
  const share = Math.ceil(SLOTS / count);
  await Promise.all(clients.map((client, i) => client.cluster('ADDSLOTSRANGE', i * share, Math.min((i + 1) * share, SLOTS) - 1)));
  const [first] = clients;
  if (!first) throw new Error('A cluster has at least one server.');
  for (const [i, client] of clients.entries()) await client.call('CLUSTER', 'SET-CONFIG-EPOCH', String(i + 1));
  for (const { port } of servers.slice(1))
    await first.call('CLUSTER', 'MEET', '127.0.0.1', String(port), await busPortOf(clients, servers, port));
  await becomesWhole();
  const ids = await Promise.all(clients.map((client) => client.cluster('MYID') as Promise<string>));

  async function becomesWhole(): Promise<void> {
    for (const client of clients)
      await eventually(
        async () => String(await client.call('CLUSTER', 'INFO')).includes('cluster_state:ok') && (await nodesKnown(client)) === count,
      );
  }

  async function ownerOf(slot: number): Promise<number> {
    const ranges = (await first?.call('CLUSTER', 'SLOTS')) as [number, number, [string, number, string]][];
    const range = ranges.find(([from, to]) => from <= slot && slot <= to);
    return ids.indexOf(range?.[2][2] ?? '');
  }

  return {
    servers,
    client: () => new Cluster(servers.map(({ port }) => ({ host: '127.0.0.1', port }))),
    ownerOf,
    becomesWhole,
    async move(slot, to, halfway) {
      const from = await ownerOf(slot);
      const [source, target, port] = [clients[from], clients[to], servers[to]?.port];
      if (!source || !target || port === undefined || from === to) throw new Error(`Slot ${slot} cannot be moved from ${from} to ${to}.`);
      await target.cluster('SETSLOT', slot, 'IMPORTING', ids[from] ?? '');
      await source.cluster('SETSLOT', slot, 'MIGRATING', ids[to] ?? '');
      const migrate = (key: string) => source.call('MIGRATE', '127.0.0.1', String(port), key, '0', '5000');
      if (halfway) {
        for (const key of halfway.keys) await migrate(key);
        await halfway.until();
      }
      for (let keys = await keysIn(source, slot); keys.length > 0; keys = await keysIn(source, slot)) {
        for (const key of keys) await migrate(key);
      }
      for (const client of [target, source, ...clients]) await client.cluster('SETSLOT', slot, 'NODE', ids[to] ?? '');
    },
    async stop() {
      for (const client of clients) client.disconnect();
      await Promise.all(servers.map((server) => server.stop()));
    },
  };
}

async function keysIn(client: Redis, slot: number): Promise<string[]> {
  return (await client.call('CLUSTER', 'GETKEYSINSLOT', String(slot), '20')) as string[];
}

async function busPortOf(clients: readonly Redis[], servers: readonly RedisServer[], port: number): Promise<string> {
  const config = (await clients[servers.findIndex((server) => server.port === port)]?.config('GET', 'cluster-port')) as string[];
  return config[1] ?? '';
}

async function nodesKnown(client: Redis): Promise<number> {
  return String(await client.call('CLUSTER', 'NODES'))
    .trim()
    .split('\n')
    .filter((line) => !line.includes('handshake')).length;
}
