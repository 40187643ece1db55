/**
 * Where things are. All keys of a task carry its bucket, the first two hex digits of its id, as their hash tag, so that a cluster keeps
 * them in one slot, together with the request keys and due times of that bucket:
 *
 *     <prefix>:{3f}:task:<taskId>         hash: at, first, due (see `heads.ts`); the fields as `f:<name>`
 *     <prefix>:{3f}:kept:<taskId>         hash: the side values by name
 *     <prefix>:{3f}:log:<taskId>          stream: the facts under their own ids, their bytes in `b`; also the name of the channel that tells of them
 *     <prefix>:{3f}:request:<requestKey>  string: the id of the task that the request made
 *     <prefix>:{3f}:due                   sorted set: task ids by due time
 *     <prefix>:{00}:store                 hash: the store's own id (see `identity.ts`)
 *     <prefix>:{3f}:trial                 what `open` tries the user's rights on; gone when it is done
 */
export interface Keys {
  task(taskId: string): string;
  sideValues(taskId: string): string;
  log(taskId: string): string;
  request(requestKey: string): string;
  due(bucket: string): string;
  /** What is known of the store itself. */
  readonly store: string;
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
  return {
    task: at('task'),
    sideValues: at('kept'),
    log: at('log'),
    request: at('request'),
    due: (bucket) => `${prefix}:{${bucket}}:due`,
    store: `${prefix}:{00}:store`,
    trial: (bucket) => `${prefix}:{${bucket}}:trial`,
  };
}
