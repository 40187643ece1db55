import type { WorkRegistry } from '../../server/ports/index.ts';
import { groupsFrom } from './calls.ts';
import type { StoreDeps } from './deps.ts';
import { listOf, textOf } from './reply.ts';
import { dropLease, held, leases, renew } from './scripts/index.ts';

/** The verbs of the work registry. */
export function workRegistryOf(need: () => StoreDeps): WorkRegistry {
  return {
    take: async (request) => need().take(request),

    async renew(node, confirmed, beat) {
      const { calls, keys, isCluster } = need();
      const groups = groupsFrom(0, isCluster);
      const args = [node, String(confirmed), String(beat)];
      const replies = await calls.ask(renew, groups, (group) => ({ keys: group.map((bucket) => keys.nodes(bucket)), args }));
      return groups.flatMap((group, i) => {
        const resets = replies[i] === undefined ? undefined : textOf(replies[i]);
        return group.map((bucket, at) => ({
          bucket,
          outcome: resets === undefined ? 'unanswered' : resets[at] === '1' ? 'reset' : 'renewed',
        }));
      });
    },

    async leases() {
      const { calls, keys, isCluster } = need();
      const groups = groupsFrom(0, isCluster);
      const replies = await calls.askMost(leases, groups, (group) => ({ keys: group.map((bucket) => keys.nodes(bucket)), args: [] }));
      return groups.flatMap((group, i) => {
        const rows = replies[i] === undefined ? [] : listOf(replies[i]);
        return group.flatMap((bucket, at) => pairsOf(rows[at]).map(([node, beat]) => ({ bucket, node, beat: Number(beat) })));
      });
    },

    async held({ bucket, node }, limit, after = '') {
      const { connection, keys } = need();
      const taskIds = listOf(await connection.run(held, [keys.held(bucket, node)], [after, String(limit)])).map(textOf);
      return { taskIds, next: taskIds.length < limit ? undefined : taskIds.at(-1) };
    },

    async dropLease({ bucket, node, beat }) {
      const { connection, keys } = need();
      const reply = await connection.run(dropLease, [keys.nodes(bucket), keys.held(bucket, node)], [node, String(beat)]);
      return textOf(reply) === '1';
    },
  };
}

function pairsOf(reply: unknown): (readonly [string, string])[] {
  const texts = reply === undefined ? [] : listOf(reply).map(textOf);
  return texts.flatMap((text, i) => (i % 2 === 0 ? [[text, texts[i + 1] ?? ''] as const] : []));
}
