import type { Cluster, Redis } from 'ioredis';
import type { Logger } from '../../server/ports/index.ts';

/** Says what a client is set to that turns an outage of seconds into one for good. */
export function checkClient(redis: Redis | Cluster, logger: Logger): void {
  if (redis.isCluster) {
    if (typeof (redis as Cluster).options.clusterRetryStrategy !== 'function')
      logger.warn('The Redis client does not connect again once the cluster was lost: give it a clusterRetryStrategy.', {});
    return;
  }
  const { retryStrategy, sentinels, sentinelCommandTimeout } = (redis as Redis).options;
  if (typeof retryStrategy !== 'function')
    logger.warn('The Redis client does not connect again once its connection was lost: give it a retryStrategy.', {});
  if (sentinels && sentinelCommandTimeout === undefined)
    logger.warn('The Redis client waits for ever for a Sentinel that does not answer: give it a sentinelCommandTimeout.', {});
}

/**
 * Resolves when the client may be given commands, whether it queues them until then or not (`enableOfflineQueue`), and whether it has been told
 * to connect or not (`lazyConnect`). When the signal is aborted, nobody waits any more.
 */
export function clientReady(redis: Redis | Cluster, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (redis.status === 'ready') return resolve();
    if (redis.status === 'end') return reject(new Error('its client is closed. Give redisStore one that is open'));
    const settle = (done: () => void) => () => {
      redis.off('ready', ready);
      redis.off('end', ended);
      done();
    };
    const ready = settle(resolve);
    const ended = settle(() => reject(new Error('its client gave up')));
    signal.addEventListener('abort', ended, { once: true });
    redis.once('ready', ready);
    redis.once('end', ended);
    // What it meets is told by its events.
    if (redis.status === 'wait') redis.connect().catch(() => undefined);
  });
}
