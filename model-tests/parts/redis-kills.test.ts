import { describe } from 'vitest';
import { startRedis } from '../redis/redis-server.ts';
import { hosted, proveKills } from './kills.ts';
import { startWritingHost } from './writing-host.ts';

describe('writers of two nodes on one Redis, killed', () => {
  proveKills('Redis', async () => {
    const redis = await startRedis('--appendonly', 'no');
    const place = { redis: redis.port };
    return hosted(await Promise.all([startWritingHost(place), startWritingHost(place)]), () => redis.stop());
  });
});
