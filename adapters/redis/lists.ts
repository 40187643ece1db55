import type { Glance, Listed, OwnerRegistry } from '../../server/ports/index.ts';
import { grouped, groupsFrom } from './calls.ts';
import type { StoreDeps } from './deps.ts';
import { FIELD } from './fields.ts';
import { bucketOf } from './keys.ts';
import { escaped, escapedState, listName, parseKind, parseListName, plain } from './kind.ts';
import { parsePlan, plainPlan } from './plans.ts';
import { listOf, textOf } from './reply.ts';
import { counts, glance, inState } from './scripts/index.ts';

/** Tasks that one call looks at: Redis serves nobody else meanwhile. */
const GLANCES_MAX = 100;

/** Tasks that each call for a list is asked for at least. */
const LISTED_MIN = 16;

/** Looks at the tasks of requests. */
export async function glanceAt(
  { calls, keys, isCluster }: StoreDeps,
  requestKeys: readonly string[],
  fieldNames: readonly string[],
): Promise<(Glance | undefined)[]> {
  const groups = grouped(requestKeys, (requestKey) => (isCluster ? bucketOf(requestKey) : ''), GLANCES_MAX);
  const bucketsOf = groups.map(([first = 0]) => [bucketOf(requestKeys[first] ?? '')]);
  const args = fieldNames.map((name) => FIELD + name);
  const replies = await calls.askAll(glance, bucketsOf, ([bucket = ''], i) => ({
    keys: [...(groups[i] ?? []).map((place) => keys.request(requestKeys[place] ?? '')), ...(isCluster ? [keys.moving(bucket)] : [])],
    args,
  }));
  const seen: (Glance | undefined)[] = requestKeys.map(() => undefined);
  for (const [i, group] of groups.entries()) {
    const rows = listOf(replies[i]);
    for (const [at, place] of group.entries()) seen[place] = parseGlance(rows[at], fieldNames);
  }
  return seen;
}

function parseGlance(row: unknown, fieldNames: readonly string[]): Glance | undefined {
  if (row === null) return undefined;
  const [taskId = '', kind, plan, due, ...values] = listOf(row).map((value) => (value === null ? undefined : textOf(value)));
  const fields = fieldNames.flatMap((name, i) => (values[i] === undefined ? [] : [[name, values[i]] as const]));
  const state = parseKind(kind)?.state;
  return {
    taskId,
    state: state === undefined ? undefined : plain(state),
    plan: plainPlan(parsePlan(plan, due)),
    fields: Object.fromEntries(fields),
  };
}

/**
 * A page of a list that lies in all buckets. Each group of them is asked for a little more than its share; who has given all of that, and may have more
 * that belongs on the page, is asked again.
 */
async function pageInState({ calls, keys, isCluster }: StoreDeps, list: string, limit: number, after?: Listed): Promise<readonly Listed[]> {
  const lines = groupsFrom(0, isCluster).map((buckets) => ({ buckets, last: after, isOpen: true }));
  const step = Math.max(LISTED_MIN, Math.ceil((2 * limit) / lines.length));
  let page: Listed[] = [];
  for (;;) {
    const end = page.length < limit ? undefined : page.at(-1);
    const asked = lines.filter(({ isOpen, last }) => isOpen && (!end || !last || compareListed(last, end) < 0));
    if (asked.length === 0) return page;
    const replies = await calls.askAll(
      inState,
      asked.map(({ buckets }) => buckets),
      (buckets, i) => {
        const last = asked[i]?.last;
        return {
          keys: buckets.map((bucket) => keys.inList(bucket, list)),
          args: [String(step), last ? String(last.since) : '', last?.taskId ?? ''],
        };
      },
    );
    for (const [i, line] of asked.entries()) {
      const texts = listOf(replies[i]).map(textOf);
      const some = texts.flatMap((taskId, at) => (at % 2 === 0 ? [{ taskId, since: Number(texts[at + 1]) }] : []));
      line.isOpen = some.length === step;
      line.last = some.at(-1) ?? line.last;
      page.push(...some);
    }
    page = page.sort(compareListed).slice(0, limit);
  }
}

function compareListed(a: Listed, b: Listed): number {
  return a.since - b.since || (a.taskId < b.taskId ? -1 : 1);
}

/** The verbs that look at many tasks. */
export function listsOf(need: () => StoreDeps): Pick<OwnerRegistry, 'glance' | 'inState' | 'counts'> {
  return {
    glance: async (requestKeys, fieldNames) => glanceAt(need(), requestKeys, fieldNames),

    inState: async (state, taskType, limit, after) => pageInState(need(), listName(escapedState(state), escaped(taskType)), limit, after),

    async counts() {
      const { calls, keys, isCluster } = need();
      const replies = await calls.askAll(counts, groupsFrom(0, isCluster), (group) => ({
        keys: group.flatMap((bucket) => [keys.lists(bucket), ...(isCluster ? [keys.moving(bucket)] : [])]),
        args: [],
      }));
      const totals = new Map<string, number>();
      for (const reply of replies) {
        const texts = listOf(reply).map(textOf);
        for (let at = 0; at < texts.length; at += 2)
          totals.set(texts[at] ?? '', (totals.get(texts[at] ?? '') ?? 0) + Number(texts[at + 1]));
      }
      return [...totals].map(([list, size]) => ({ ...parseListName(list), count: size }));
    },
  };
}
