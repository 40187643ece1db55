import {
  shareNames,
  type CountChange,
  type Name,
  type OwnerCounts,
  type OwnerRegistry,
  type OwnersPage,
  type Shares,
} from '../../server/ports/index.ts';
import type { StoreDeps } from './deps.ts';
import { grouped } from './calls.ts';
import { ownerTag, ownerTags } from './keys.ts';
import { listOf, textOf } from './reply.ts';
import { count, forget, names, nameScore, owners, setShares, shares } from './scripts/index.ts';

/** Changes of one call: Redis serves nobody else meanwhile. */
const CHANGES_MAX = 100;

/** Tags that are asked for owners at once. */
const TAGS_MAX = 16;

/** Where an owner's record is, as the scripts take it. */
export function ownerKeys({ keys }: Pick<StoreDeps, 'keys'>, owner: string): string[] {
  return [keys.names(owner), keys.shares(owner), keys.owners(ownerTag(owner))];
}

/** A name as it stands; undefined where it is not there. */
export async function nameOf({ connection, keys }: StoreDeps, owner: string, requestKey: string): Promise<Name | undefined> {
  const score = await connection.run(nameScore, [keys.names(owner)], [requestKey]);
  return score === null ? undefined : { requestKey, at: Number(textOf(score)) };
}

/** Drops a name, unless it was named anew since. */
export async function dropName(deps: StoreDeps, owner: string, { requestKey, at }: Name): Promise<void> {
  await deps.connection.run(forget, ownerKeys(deps, owner), [requestKey, owner, String(at)]);
}

/** Changes counts: many in one call, on a cluster those of one slot. */
export async function changeCounts(deps: StoreDeps, changes: readonly CountChange[]): Promise<readonly Shares[]> {
  const { connection, isCluster } = deps;
  const counts: Shares[] = [];
  await Promise.all(
    grouped(changes, ({ owner }) => (isCluster ? ownerTag(owner) : ''), CHANGES_MAX).map(async (places) => {
      const given = places.flatMap((place) => changes[place] ?? []);
      const reply = await connection.run(
        count,
        given.flatMap(({ owner }) => ownerKeys(deps, owner)),
        given.flatMap(({ owner, by, name }) => [
          ...[owner, name?.requestKey ?? '', name ? String(name.at) : ''],
          ...shareNames.map((share) => String(by[share] ?? 0)),
        ]),
      );
      const numbers = listOf(reply).map((each) => Number(textOf(each)));
      for (const [i, place] of places.entries()) counts[place] = sharesOf(numbers.slice(i * shareNames.length));
    }),
  );
  return counts;
}

/** The verbs of an owner's record. */
export function ownerRegistryOf(need: () => StoreDeps): Omit<OwnerRegistry, 'glance' | 'inState' | 'counts'> {
  return {
    async names(owner, limit, after) {
      const { connection, keys } = need();
      const args = [String(limit), after ? String(after.at) : '', after?.requestKey ?? ''];
      const texts = listOf(await connection.run(names, [keys.names(owner)], args)).map(textOf);
      return texts.flatMap((requestKey, i) => (i % 2 === 0 ? [{ requestKey, at: Number(texts[i + 1]) }] : []));
    },

    forget: async (owner, name) => dropName(need(), owner, name),
    count: async (changes) => changeCounts(need(), changes),

    async shares(owner): Promise<OwnerCounts> {
      const { connection, keys } = need();
      const numbers = listOf(await connection.run(shares, [keys.shares(owner)])).map((each) => Number(textOf(each)));
      const [version = 0, countedAt = 0] = numbers.slice(shareNames.length);
      return { shares: sharesOf(numbers), version, countedAt };
    },

    async setShares(owner, has, ifVersion) {
      const deps = need();
      const args = [owner, String(ifVersion), ...shareNames.map((share) => String(has[share]))];
      return textOf(await deps.connection.run(setShares, ownerKeys(deps, owner), args)) === '1';
    },

    owners: async (limit, after) => ownersPage(need(), limit, after),
  };
}

/** A page is some tags, or a part of one: `<tag>;<owner>` says after whom the next one begins, `<tag>;` with whom. */
async function ownersPage({ keys, calls, isCluster }: StoreDeps, limit: number, after = `${ownerTags[0]};`): Promise<OwnersPage> {
  const [tag = '', ...last] = after.split(';');
  const from = ownerTags.indexOf(tag);
  const tags = ownerTags.slice(from, from + TAGS_MAX);
  const groups = isCluster ? tags.map((each) => [each]) : [tags];
  const replies = await calls.askAll(owners, groups, (group, i) => ({
    keys: group.map((each) => keys.owners(each)),
    args: [i === 0 ? last.join(';') : '', String(limit)],
  }));
  const found: string[] = [];
  let next = from;
  for (const reply of replies) {
    const [looked, isCut, ...some] = listOf(reply).map(textOf);
    found.push(...some);
    next += Number(looked);
    if (isCut === '1') return { owners: found, next: `${ownerTags[next - 1]};${some.at(-1)}` };
  }
  return { owners: found, next: next < ownerTags.length ? `${ownerTags[next]};` : undefined };
}

/** Counts in the order in which scripts give them. */
function sharesOf([active = 0, waiting = 0, questions = 0, tasks = 0, bytes = 0]: readonly number[]): Shares {
  return { active, waiting, questions, tasks, bytes };
}
