import { createHash } from 'node:crypto';

/**
 * Where things are. All keys of a task carry its bucket, the first two hex digits of its id, as their hash tag, so that a cluster keeps
 * them in one slot, together with the request keys, the work and the leases of that bucket:
 *
 *     <prefix>:{3f}:task:<taskId>         hash: at, first, plan, kind, lanes (see `heads.ts`, `plans.ts`, `kind.ts`); the fields as `f:<name>`
 *     <prefix>:{3f}:kept:<taskId>         hash: the side values by name
 *     <prefix>:{3f}:log:<taskId>          stream: the facts under their own ids, their bytes in `b`; also the name of the channel that tells of them
 *     <prefix>:{3f}:parts:<taskId>        hash: what is known of each lane (see `lane-record.ts`); also the name of the channel that tells of their bytes
 *     <prefix>:{3f}:lane:<taskId>:<lane>  string: the bytes of a lane; of one whose value is replaced its version in ten digits, then the value
 *     <prefix>:{3f}:request:<requestKey>  string: the id of the task that the request made
 *     <prefix>:{3f}:clock                 sorted set: task ids by the time when they are due; of one that is hidden, by the end of that
 *     <prefix>:{3f}:wanted                sorted set: task ids by the time from which their work is wanted; of one that is hidden or queued, by a later one
 *     <prefix>:{3f}:ready:<type>          sorted set, a queue: task ids by turn; far behind them those that stand aside (see `scripts/work-queue.ts`)
 *     <prefix>:{3f}:turns:<type>          hash: the last turn of each owner in that queue; under `;` the one that was taken last
 *     <prefix>:{3f}:next                  sorted set: `clock` and `wanted` by a time not later than their first, `ready:<type>` and `aside:<type>` by 0
 *     <prefix>:{3f}:nodes                 hash: the beat of each node's lease
 *     <prefix>:{3f}:held:<node>           sorted set: the ids of what the node holds, all by 0
 *     <prefix>:{3f}:in:<state>:<type>     sorted set: task ids by when they came to that state
 *     <prefix>:{3f}:lists                 sorted set: `<state>:<type>` of each of those that is there, or was, all by 0
 *     <prefix>:{3f}:moving                never there: a script that names it waits while a cluster moves the slot
 *     <prefix>:{3f}:due                   sorted set: ids of tasks as 0.1.0 wrote them by due time, until they are written anew
 *     <prefix>:{00}:store                 hash: the store's own id, its layout (see `identity.ts`), and how far the tasks of 0.1.0 were named (`backfill.ts`)
 *     <prefix>:{3f}:trial                 what `open` tries the user's rights on; gone when it is done
 *
 * What is an owner's has a tag of its own, `o` and the first two hex digits of his hash:
 *
 *     <prefix>:{o3f}:names:<owner>        sorted set: the request keys of his tasks by when they were named
 *     <prefix>:{o3f}:shares:<owner>       string: what he has of each share, a version, and when it was counted
 *     <prefix>:{o3f}:owners               sorted set: owners who have one of these, all by 0
 */
export interface Keys {
  task(taskId: string): string;
  sideValues(taskId: string): string;
  log(taskId: string): string;
  parts(taskId: string): string;
  lane(taskId: string, lane: string): string;
  request(requestKey: string): string;
  clock(bucket: string): string;
  wanted(bucket: string): string;
  /** The queue of a type, as `kindOf` of `plans.ts` spells it. */
  ready(bucket: string, type: string): string;
  turns(bucket: string, type: string): string;
  next(bucket: string): string;
  nodes(bucket: string): string;
  held(bucket: string, node: string): string;
  /** The tasks of a list, as `listName` of `kind.ts` spells it. */
  inList(bucket: string, list: string): string;
  lists(bucket: string): string;
  moving(bucket: string): string;
  due(bucket: string): string;
  /** An owner, as he is called. */
  names(owner: string): string;
  shares(owner: string): string;
  /** By the tag of an owner, see `ownerTag`. */
  owners(tag: string): string;
  /** What is known of the store itself. */
  readonly store: string;
  /** The channel of what nodes tell each other. */
  readonly notices: string;
  /** What the request keys of all buckets look like, for `SCAN`. */
  readonly requests: string;
  /** Where rights are tried. */
  trial(bucket: string): string;
}

/** All buckets. */
export const buckets: readonly string[] = Array.from({ length: 256 }, (_, bucket) => bucket.toString(16).padStart(2, '0'));

/** The bucket of a task, or of its request key. */
export function bucketOf(id: string): string {
  return id.slice(0, 2);
}

/** The hash tag of a key of ours: a bucket, or the tag of an owner. */
export function tagOfKey(key: string): string {
  const at = key.indexOf('{');
  return key.slice(at + 1, key.indexOf('}', at));
}

/** Owners whose tags are kept at hand: each is asked for several times with every task. */
const TAGS_MAX = 1000;
const tagOf = new Map<string, string>();

/** The hash tag of what is an owner's. */
export function ownerTag(owner: string): string {
  const known = tagOf.get(owner);
  if (known !== undefined) return known;
  if (tagOf.size >= TAGS_MAX) tagOf.clear();
  const tag = `o${createHash('sha256').update(owner).digest('hex').slice(0, 2)}`;
  tagOf.set(owner, tag);
  return tag;
}

/** The tags of all owners. */
export const ownerTags: readonly string[] = buckets.map((bucket) => `o${bucket}`);

/** The task that a channel tells of. */
export function taskOfChannel(channel: string): string {
  return channel.slice(channel.lastIndexOf(':') + 1);
}

/** True for a channel that tells of the bytes of lanes, and not of facts. */
export function isPartsChannel(channel: string): boolean {
  const end = channel.lastIndexOf(':');
  return channel.startsWith(':parts', end - 6);
}

/** Names the keys under a prefix. Throws a `TypeError` for one that would move or blur the hash tag. */
export function keysUnder(prefix: string): Keys {
  if (prefix === '' || /[{}\s]/.test(prefix))
    throw new TypeError(`prefix (${JSON.stringify(prefix)}) must be a text without braces and spaces: the hash tag of a key follows it.`);
  const at = (kind: string) => (id: string) => `${prefix}:{${bucketOf(id)}}:${kind}:${id}`;
  const of = (kind: string) => (bucket: string) => `${prefix}:{${bucket}}:${kind}`;
  const by = (kind: string) => (bucket: string, name: string) => `${prefix}:{${bucket}}:${kind}:${name}`;
  const his = (kind: string) => (owner: string) => `${prefix}:{${ownerTag(owner)}}:${kind}:${owner}`;
  return {
    task: at('task'),
    sideValues: at('kept'),
    log: at('log'),
    parts: at('parts'),
    lane: (taskId, lane) => `${prefix}:{${bucketOf(taskId)}}:lane:${taskId}:${lane}`,
    request: at('request'),
    clock: of('clock'),
    wanted: of('wanted'),
    ready: by('ready'),
    turns: by('turns'),
    next: of('next'),
    nodes: of('nodes'),
    held: by('held'),
    inList: by('in'),
    lists: of('lists'),
    moving: of('moving'),
    due: of('due'),
    names: his('names'),
    shares: his('shares'),
    owners: of('owners'),
    store: `${prefix}:{00}:store`,
    notices: `${prefix}:{00}:notices`,
    requests: `${prefix.replaceAll(/[*?[\]\\^]/g, '\\$&')}:{??}:request:*`,
    trial: of('trial'),
  };
}
