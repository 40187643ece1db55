import { Command, type Cluster, type Redis } from 'ioredis';
import { monotonicMs, systemClock, type Clock, type ReadinessAnswer, type ReadinessProbe } from '../../server/ports/index.ts';
import { commandFailure } from './command-failure.ts';
import { keysUnder } from './keys.ts';
import { redisDefaults } from './options.ts';

/** Options of {@link redisProbe}. */
export interface RedisProbeOptions {
  /** The store's own. Defaults to `taskbridge`. */
  readonly prefix?: string;
  /** How long Redis may take, in milliseconds. Defaults to 1000. */
  readonly timeoutMs?: number;
  /** Defaults to the machine's. */
  readonly clock?: Clock;
}

/**
 * Answers `GET /ready` by asking Redis itself for a write that changes nothing: ready where it takes it within `timeoutMs`. A Redis without memory
 * (`maxmemory`), without a disk to write to, without the replicas that it is to have, or that is a replica, is not ready, and the reason says
 * which. Never throws. On a cluster it asks the master that has bucket `00`.
 */
export function redisProbe(
  redis: Redis | Cluster,
  { prefix = redisDefaults.prefix, timeoutMs = 1000, clock = systemClock }: RedisProbeOptions = {},
): ReadinessProbe {
  const key = keysUnder(prefix).trial('00');
  return {
    async check() {
      const asked = monotonicMs(clock);
      let timer: unknown;
      const late = new Promise<ReadinessAnswer>((resolve) => {
        const reason = new Error(`Redis did not answer within ${timeoutMs} milliseconds.`);
        timer = clock.setTimeout(() => resolve({ ready: false, reason }), timeoutMs);
      });
      // Sets no byte of a text that is not there. Redis asks of it all that it asks of a write.
      const answered = Promise.resolve(redis.sendCommand(new Command('setrange', [key, '0', '']))).then(
        (): ReadinessAnswer => ({ ready: true, details: { latencyMs: Math.round(monotonicMs(clock) - asked) } }),
        (error: unknown): ReadinessAnswer => ({ ready: false, reason: commandFailure('SETRANGE', error) }),
      );
      const answer = await Promise.race([answered, late]);
      clock.clearTimeout(timer);
      return answer;
    },
  };
}
