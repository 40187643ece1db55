import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { Fact } from 'taskbridge/wire';
import { printed, startProcess, type RunningProcess } from '../support/child-process.ts';
import { patience } from '../support/patience.ts';
import { tempFolder } from '../support/temp-folder.ts';
import type { NamespaceNetwork } from './namespace-network.ts';

/** The machines of the two servers, whichever leads, and a third that only watches. */
export const redisMachines = ['redis-1', 'redis-2', 'watch'] as const;
const [FIRST, SECOND, WATCH] = redisMachines;
/** By which name Sentinel knows the master. */
export const MASTER_NAME = 'house';
export const SENTINEL_PORT = 26379;
const REDIS_PORT = 6379;
/** A master that is silent for so long is taken for down. */
export const DOWN_AFTER_MS = patience(2000);
/** A server with fewer replicas than that takes no writes: more than there are. */
const NO_WRITES = 9;

/** A server of the pair. */
export type RedisMachine = typeof FIRST | typeof SECOND;

/** A master, a replica, and Sentinels beside them and on a third machine. */
export interface RedisPair {
  /** Who leads, as the third machine's Sentinel says. */
  master(): Promise<RedisMachine>;
  /** From now on a server refuses every write; gives the facts that it has, by task. */
  closeLog(machine: RedisMachine): Promise<Map<string, readonly Fact[]>>;
  /** Resolves when one leads, the other follows and all agree; what was closed is open then. Gives who leads. */
  settled(): Promise<RedisMachine>;
  /** A connection to a server, from this process. */
  connect(machine: RedisMachine): Redis;
  stop(): Promise<void>;
}

/** The other of the two. */
export const otherOf = (machine: RedisMachine): RedisMachine => (machine === FIRST ? SECOND : FIRST);

/** Starts them; `envOf` is the environment of each server beside this process's own. */
export async function startRedisPair(
  network: NamespaceNetwork,
  envOf: (machine: RedisMachine) => Readonly<Record<string, string>>,
): Promise<RedisPair> {
  const folder = await tempFolder('redis-pair');
  const processes: RunningProcess<unknown>[] = [];
  const admins = new Map<RedisMachine, Redis>();
  const connect = (machine: RedisMachine): Redis => {
    const redis = new Redis(REDIS_PORT, network.addressOf(machine), { maxRetriesPerRequest: null });
    redis.on('error', () => undefined);
    return redis;
  };
  const admin = (machine: RedisMachine): Redis => {
    const known = admins.get(machine) ?? connect(machine);
    admins.set(machine, known);
    return known;
  };
  const start = async (machine: RedisMachine): Promise<void> => {
    const args = ['--port', String(REDIS_PORT), '--bind', network.addressOf(machine), '--protected-mode', 'no', '--dir', folder.path];
    const memory = [
      '--save',
      '',
      '--appendonly',
      'no',
      '--repl-diskless-sync-delay',
      '0',
      '--repl-ping-replica-period',
      '1',
      '--repl-timeout',
      '5',
    ];
    const env = { ...process.env, ...envOf(machine) };
    const spawned = () => network.spawn(machine, 'redis-server', [...args, ...memory], { stdio: ['ignore', 'pipe', 'inherit'], env });
    processes.push(await startProcess(machine, spawned, (child) => printed(child, /Ready to accept connections/)));
  };
  await Promise.all([start(FIRST), start(SECOND)]);
  await admin(SECOND).replicaof(network.addressOf(FIRST), REDIS_PORT);
  await until(async () => String(await admin(SECOND).info('replication')).includes('master_link_status:up'), 'the replica to follow');
  const sentinels = redisMachines.map(async (machine) => {
    const config = join(folder.path, `${machine}.conf`);
    await writeFile(config, sentinelConfig(network, machine));
    const spawned = () => network.spawn(machine, 'redis-server', [config, '--sentinel'], { stdio: ['ignore', 'pipe', 'inherit'] });
    processes.push(await startProcess(`a Sentinel on ${machine}`, spawned, (child) => printed(child, /monitor master/)));
  });
  await Promise.all(sentinels);
  const asked = redisMachines.map((machine) => new Redis(SENTINEL_PORT, network.addressOf(machine)).on('error', () => undefined));
  // What they tell each other by default every some seconds decides how long a fail-over takes.
  for (const sentinel of asked)
    await sentinel.call('SENTINEL', 'DEBUG', 'INFO-PERIOD', '1000', 'PUBLISH-PERIOD', '500', 'ASK-PERIOD', '500');

  const named = async (sentinel: Redis | undefined): Promise<RedisMachine> => {
    const [host] = (await sentinel?.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', MASTER_NAME)) as [string];
    return host === network.addressOf(FIRST) ? FIRST : SECOND;
  };
  const flags = async (sentinel: Redis): Promise<string | undefined> => {
    const fields = (await sentinel.call('SENTINEL', 'MASTER', MASTER_NAME)) as string[];
    return fields[fields.indexOf('flags') + 1];
  };
  const pair: RedisPair = {
    master: () => named(asked[redisMachines.indexOf(WATCH)]),
    connect,
    async closeLog(machine) {
      await admin(machine).config('SET', 'min-replicas-to-write', String(NO_WRITES));
      return factsOf(admin(machine));
    },
    async settled() {
      const agreed = async (): Promise<RedisMachine | undefined> => {
        const [leader, ...others] = await Promise.all(asked.map(named));
        if (leader === undefined || others.some((other) => other !== leader)) return undefined;
        // Nobody takes it for down, and no fail-over is under way.
        if ((await Promise.all(asked.map(flags))).some((each) => each !== 'master')) return undefined;
        const [leading, following] = await Promise.all([leader, otherOf(leader)].map((one) => admin(one).info('replication')));
        const isSettled =
          /role:master[^]*state=online/.test(String(leading)) && /role:slave[^]*master_link_status:up/.test(String(following));
        return isSettled ? leader : undefined;
      };
      const leader = await until(agreed, 'one to lead and the other to follow');
      await Promise.all([FIRST, SECOND].map((machine) => admin(machine).config('SET', 'min-replicas-to-write', '0')));
      return leader;
    },
    async stop() {
      for (const one of [...admins.values(), ...asked]) one.disconnect();
      await Promise.all(processes.map((each) => each.kill()));
      await folder.remove();
    },
  };
  const known = async (): Promise<boolean> => {
    const answers = await Promise.all(asked.map((sentinel) => sentinel.call('SENTINEL', 'CKQUORUM', MASTER_NAME).catch(String)));
    const replicas = await Promise.all(asked.map((sentinel) => sentinel.call('SENTINEL', 'REPLICAS', MASTER_NAME) as Promise<unknown[]>));
    return answers.every((answer) => String(answer).includes('3 usable')) && replicas.every(({ length }) => length === 1);
  };
  await until(known, 'the Sentinels to know each other and the replica');
  return pair;
}

function sentinelConfig(network: NamespaceNetwork, machine: string): string {
  return [
    `port ${SENTINEL_PORT}`,
    `bind ${network.addressOf(machine)}`,
    'protected-mode no',
    `sentinel monitor ${MASTER_NAME} ${network.addressOf(FIRST)} ${REDIS_PORT} 2`,
    `sentinel down-after-milliseconds ${MASTER_NAME} ${DOWN_AFTER_MS}`,
    `sentinel failover-timeout ${MASTER_NAME} 5000`,
    '',
  ].join('\n');
}

/** The logs of a server as they lie there, past all code of ours. */
async function factsOf(redis: Redis): Promise<Map<string, readonly Fact[]>> {
  const logs = new Map<string, readonly Fact[]>();
  // By the tasks: one that has just been created has no log yet.
  for await (const keys of redis.scanStream({ match: 'taskbridge:*:task:*', count: 1000 }))
    for (const key of keys as string[]) {
      const entries = await redis.xrange(key.replace(':task:', ':log:'), '-', '+');
      const facts = entries.map(([, fields]) => JSON.parse(fields[fields.indexOf('b') + 1] ?? '') as Fact);
      logs.set(key.slice(key.lastIndexOf(':') + 1), facts);
    }
  return logs;
}

/** Asks until there is an answer; throws where none comes for long. */
async function until<T>(ask: () => Promise<T | undefined | false>, what: string): Promise<T> {
  const end = performance.now() + patience(60_000);
  while (performance.now() < end) {
    const answer = await ask();
    if (answer) return answer;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`Nobody saw ${what}.`);
}
