import { Command, type Cluster, type Redis } from 'ioredis';
import { systemClock, type Clock, type ReadinessProbe } from '../../server/ports/index.ts';

/** Answers `GET /ready` by asking Redis itself: ready where it answers a PING within `timeoutMs` (default 1000). Never throws. */
export function redisProbe(
  redis: Redis | Cluster,
  { timeoutMs = 1000, clock = systemClock }: { readonly timeoutMs?: number; readonly clock?: Clock } = {},
): ReadinessProbe {
  return {
    async check() {
      const asked = clock.now();
      let timer: unknown;
      const late = new Promise<false>((resolve) => {
        timer = clock.setTimeout(() => resolve(false), timeoutMs);
      });
      const answered = Promise.resolve(redis.sendCommand(new Command('ping', []))).then(
        () => true,
        () => false,
      );
      const ready = await Promise.race([answered, late]);
      clock.clearTimeout(timer);
      return ready ? { ready, details: { latencyMs: Math.round(clock.now() - asked) } } : { ready };
    },
  };
}
