import { Command, type Cluster, type Redis } from 'ioredis';
import type { Logger } from '../../server/ports/index.ts';
import { commandFailure } from './command-failure.ts';
import { textOf } from './reply.ts';
import { isCluster } from './tail/router.ts';

/** The oldest version that has what the scripts use: XTRIM MINID and exclusive ranges. */
const VERSION_MIN = [6, 2] as const;
/** The oldest version with sharded channels. */
const CLUSTER_VERSION_MIN = [7, 0] as const;

/**
 * Looks at the servers once, before anything is written. Throws where one cannot be asked, is too old, is a replica, or where a client for a
 * single server was given for a cluster; warns where Redis may throw our keys away.
 */
export async function checkServers(redis: Redis | Cluster, logger: Logger): Promise<void> {
  const servers = isCluster(redis) ? await mastersOf(redis) : [redis];
  const required = isCluster(redis) ? CLUSTER_VERSION_MIN : VERSION_MIN;
  for (const server of servers) {
    const info = await infoOf(server, logger);
    if (!info) continue;
    const version = info.get('redis_version');
    if (version === undefined) logger.warn('Redis does not say in INFO which version it is; the Redis store needs 6.2 or newer.', {});
    else if (isOlder(version, required))
      throw new Error(
        `Redis ${version} is too old: the Redis store needs ${required.join('.')} or newer${isCluster(redis) ? ' on a cluster' : ''}.`,
      );
    if (!isCluster(redis) && info.get('cluster_enabled') === '1')
      throw new Error('The server is part of a Redis cluster: give redisStore a client of it, new Redis.Cluster([…]).');
    if (info.get('role') === 'slave')
      throw new Error(
        'The server is a replica and takes no writes: give redisStore a client that finds the master (by Sentinel, or its address).',
      );
    const policy = info.get('maxmemory_policy') ?? '';
    if (policy.startsWith('allkeys-') && info.get('maxmemory') !== '0')
      logger.warn(`Redis may throw tasks away: its maxmemory-policy is ${policy}. Set noeviction, or a volatile- policy.`, { policy });
  }
}

/** A cluster's client knows its masters once it is ready. */
async function mastersOf(cluster: Cluster): Promise<Redis[]> {
  await cluster.sendCommand(new Command('cluster', ['INFO']));
  return cluster.nodes('master');
}

async function infoOf(server: Redis, logger: Logger): Promise<ReadonlyMap<string, string> | undefined> {
  try {
    // Without a section, which proxies and relatives of Redis do not all know.
    const text = textOf(await server.sendCommand(new Command('info', [])));
    return new Map(text.split('\r\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)] as const));
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith('NOPERM'))) throw commandFailure('INFO', error);
    logger.warn('Redis does not let this user ask for INFO: its version and eviction policy are not known.', {});
    return undefined;
  }
}

function isOlder(version: string, [major, minor]: readonly [number, number]): boolean {
  const [givenMajor = 0, givenMinor = 0] = version.split('.').map(Number);
  return givenMajor < major || (givenMajor === major && givenMinor < minor);
}
