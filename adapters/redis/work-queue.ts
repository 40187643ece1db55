import type { TakenTasks, TakeRequest } from '../../server/ports/index.ts';
import { groupsFrom, type BucketCalls, type BucketGroup } from './calls.ts';
import { buckets, type Keys } from './keys.ts';
import { escaped } from './kind.ts';
import { listOf, textOf } from './reply.ts';
import { take } from './scripts/index.ts';

/** What a search for work works with. */
export interface TakeDeps {
  readonly calls: BucketCalls;
  readonly keys: Keys;
  readonly isCluster: boolean;
  /** The store's clock. */
  now(): Promise<number>;
}

/** At every tenth look `next` of a bucket is set right by what it stands for, and its `due` is looked for: what a fail-over lost is not lost for ever. */
const DOUBT_EVERY = 10;

/** Most tasks of a kind that are asked for at once. */
const TAKEN_MAX = 10_000;

/** Gives what is ripe, over all buckets. */
export type Taker = (request: TakeRequest) => Promise<TakenTasks>;

/**
 * Makes a search that knows where it was last time. Every look asks all buckets at once, each group of them for its share of what is wanted; what
 * some leave of their shares goes to those that have more, until there is enough or nobody has any. The shares begin at a place that moves on
 * with what is given, so that each bucket has its turn, however much waits in another.
 */
export function createTaker({ calls, keys, isCluster, now }: TakeDeps, firstPlace: number): Taker {
  let place = firstPlace % buckets.length;
  let look = 0;
  /** Buckets that had tasks of 0.1.0 when they were looked at last. */
  const old = new Set<string>();

  function flagOf(bucket: string, round: number): string {
    const isDoubted = look === 0 || (Number.parseInt(bucket, 16) + look) % DOUBT_EVERY === 0;
    return isDoubted && round === 0 ? '2' : old.has(bucket) ? '1' : '0';
  }

  return async ({ types, dueMax, readyMax, hideMs, without = [] }) => {
    const time = await now();
    // None for all of them.
    const names = types === 'any' ? [] : [...new Set(types.map(escaped))];
    const spared = [String(without.length), ...without.map(escaped)];
    const rooms = { due: Math.min(dueMax, TAKEN_MAX), ready: types.length > 0 ? Math.min(readyMax, TAKEN_MAX) : 0 };
    const due: string[] = [];
    const ready: string[] = [];
    let open = groupsFrom(place, isCluster);
    for (let round = 0; open.length > 0; round += 1) {
      const [dueRoom, readyRoom] = [rooms.due - due.length, rooms.ready - ready.length];
      const flags = open.map((group) => group.map((bucket) => flagOf(bucket, round)).join(''));
      const replies = await calls.askMost(take, open, (group, i) => {
        const shares = [share(dueRoom, i, open.length), share(readyRoom, i, open.length)];
        return {
          keys: group.flatMap((bucket) => [
            ...[keys.next(bucket), keys.clock(bucket), keys.wanted(bucket)],
            // While its slot moves, a script must not take a queue for empty that is on its way, nor make another one.
            ...(isCluster ? [keys.moving(bucket)] : []),
          ]),
          args: [...[time, time + hideMs, ...shares].map(String), flags[i] ?? '', ...spared, ...names],
        };
      });
      const more: { readonly group: BucketGroup; readonly due: boolean; readonly ready: boolean }[] = [];
      for (const [i, reply] of replies.entries()) {
        const group = open[i];
        if (reply === undefined || !group) continue;
        const answer = parseReply(reply);
        due.push(...answer.due);
        ready.push(...answer.ready);
        noteOld(group, flags[i] ?? '', answer.olds);
        more.push({ group, due: answer.moreDue, ready: answer.moreReady });
      }
      const [wantsDue, wantsReady] = [due.length < rooms.due, ready.length < rooms.ready];
      open = more.filter((each) => (each.due && wantsDue) || (each.ready && wantsReady)).map(({ group }) => group);
    }
    look += 1;
    place = (place + Math.max(1, ready.length)) % buckets.length;
    return { due, ready };
  };

  function noteOld(group: BucketGroup, flags: string, olds: string): void {
    for (const [i, bucket] of group.entries()) {
      if (flags[i] === '0') continue;
      if (olds[i] === '1') old.add(bucket);
      else old.delete(bucket);
    }
  }
}

/** The `i`th of that many shares of a room: all of them together are the room. */
function share(room: number, i: number, count: number): number {
  return Math.max(0, Math.floor(room / count) + (i < room % count ? 1 : 0));
}

function parseReply(reply: unknown) {
  const [digits = '', olds = '', count = '0', ...ids] = listOf(reply).map(textOf);
  return {
    moreDue: digits[0] === '1',
    moreReady: digits[1] === '1',
    olds,
    due: ids.slice(0, Number(count)),
    ready: ids.slice(Number(count)),
  };
}
