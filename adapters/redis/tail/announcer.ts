import { script, type Script } from '../scripts/script.ts';

/**
 * Tells every node something that is of no task, on a channel of a slot of its own. A script, since a client's own `publish` would leave out its
 * key prefix and, on a cluster, the slot.
 *
 * KEYS  1 the channel
 *
 * ARGV  1 the text
 */
export function announceScript(isCluster: boolean): Script {
  return script('announce', `redis.call('${isCluster ? 'SPUBLISH' : 'PUBLISH'}', KEYS[1], ARGV[1])\nreturn 1\n`);
}
