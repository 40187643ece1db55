/**
 * Where things are. All keys of a task carry its bucket, the first two hex digits of its id, as their hash tag, so that a cluster keeps
 * them in one slot, together with the request keys, the work and the leases of that bucket:
 *
 *     <prefix>:{3f}:task:<taskId>         hash: at, first, plan, kind (see `heads.ts`, `plans.ts`); the fields as `f:<name>`
 *     <prefix>:{3f}:kept:<taskId>         hash: the side values by name
 *     <prefix>:{3f}:log:<taskId>          stream: the facts under their own ids, their bytes in `b`; also the name of the channel that tells of them
 *     <prefix>:{3f}:request:<requestKey>  string: the id of the task that the request made
 *     <prefix>:{3f}:clock                 sorted set: task ids by the time when they are due; of one that is hidden, by the end of that
 *     <prefix>:{3f}:wanted                sorted set: task ids by the time from which their work is wanted; of one that is hidden or queued, by a later one
 *     <prefix>:{3f}:ready:<type>          sorted set, a queue: task ids by turn
 *     <prefix>:{3f}:turns:<type>          hash: the last turn of each owner in that queue; under `;` the one that was taken last
 *     <prefix>:{3f}:next                  sorted set: `clock` and `wanted` by a time not later than their first, `ready:<type>` by 0
 *     <prefix>:{3f}:nodes                 hash: the beat of each node's lease
 *     <prefix>:{3f}:held:<node>           sorted set: the ids of what the node holds, all by 0
 *     <prefix>:{3f}:moving                never there: a script that names it waits while a cluster moves the slot
 *     <prefix>:{3f}:due                   sorted set: ids of tasks as 0.1.0 wrote them by due time, until they are written anew
 *     <prefix>:{00}:store                 hash: the store's own id, and its layout (see `identity.ts`)
 *     <prefix>:{3f}:trial                 what `open` tries the user's rights on; gone when it is done
 */
export interface Keys {
  task(taskId: string): string;
  sideValues(taskId: string): string;
  log(taskId: string): string;
  request(requestKey: string): string;
  clock(bucket: string): string;
  wanted(bucket: string): string;
  /** The queue of a type, as `kindOf` of `plans.ts` spells it. */
  ready(bucket: string, type: string): string;
  turns(bucket: string, type: string): string;
  next(bucket: string): string;
  nodes(bucket: string): string;
  held(bucket: string, node: string): string;
  moving(bucket: string): string;
  due(bucket: string): string;
  /** What is known of the store itself. */
  readonly store: string;
  /** The channel of what nodes tell each other. */
  readonly notices: string;
  /** Where rights are tried. */
  trial(bucket: string): string;
}

/** All buckets. */
export const buckets: readonly string[] = Array.from({ length: 256 }, (_, bucket) => bucket.toString(16).padStart(2, '0'));

/** The bucket of a task, or of its request key. */
export function bucketOf(id: string): string {
  return id.slice(0, 2);
}

/** The bucket that a key of ours has as its hash tag. */
export function bucketOfKey(key: string): string {
  const at = key.indexOf('{');
  return key.slice(at + 1, at + 3);
}

/** The task that a channel tells of. */
export function taskOfChannel(channel: string): string {
  return channel.slice(channel.lastIndexOf(':') + 1);
}

/** Names the keys under a prefix. Throws a `TypeError` for one that would move or blur the hash tag. */
export function keysUnder(prefix: string): Keys {
  if (prefix === '' || /[{}\s]/.test(prefix))
    throw new TypeError(`prefix (${JSON.stringify(prefix)}) must be a text without braces and spaces: the hash tag of a key follows it.`);
  const at = (kind: string) => (id: string) => `${prefix}:{${bucketOf(id)}}:${kind}:${id}`;
  const of = (kind: string) => (bucket: string) => `${prefix}:{${bucket}}:${kind}`;
  const by = (kind: string) => (bucket: string, name: string) => `${prefix}:{${bucket}}:${kind}:${name}`;
  return {
    task: at('task'),
    sideValues: at('kept'),
    log: at('log'),
    request: at('request'),
    clock: of('clock'),
    wanted: of('wanted'),
    ready: by('ready'),
    turns: by('turns'),
    next: of('next'),
    nodes: of('nodes'),
    held: by('held'),
    moving: of('moving'),
    due: of('due'),
    store: `${prefix}:{00}:store`,
    notices: `${prefix}:{00}:notices`,
    trial: of('trial'),
  };
}
