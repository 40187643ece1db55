import type { StoreDeps } from './deps.ts';
import { headAt, textOfHead } from './heads.ts';
import { plain } from './kind.ts';
import { allLaneKeys } from './lanes.ts';
import { dropName, nameOf, ownerKeys } from './owners.ts';
import { stepsBetween } from './plans.ts';
import { integerOf } from './reply.ts';
import { remove } from './scripts/index.ts';

/**
 * Removes a task with its name. On a cluster the name lies in another slot: it is looked at first, and dropped last, unless a request has named it anew
 * since. One that is left is of no task, and shown to nobody.
 */
export async function removeTask(
  deps: StoreDeps,
  taskId: string,
  requestKey: string,
  expectedRevision: number,
): Promise<'removed' | 'conflict'> {
  const { connection, keys, heads, isCluster } = deps;
  const head = await headAt(deps, taskId, expectedRevision);
  if (!head) return 'conflict';
  // Nobody has told the store whose a task of 0.1.0 is.
  const owner = head.kind && plain(head.kind.owner);
  const isWhole = owner !== undefined && !isCluster;
  const name = owner !== undefined && isCluster ? await nameOf(deps, owner, requestKey) : undefined;
  const steps = stepsBetween(keys, taskId, head);
  // Which there are changes with a commit only: then it is a conflict.
  const laneKeys = head.lanes ? await allLaneKeys(deps, taskId) : [];
  const reply = await connection.run(
    remove,
    [
      ...[keys.task(taskId), keys.sideValues(taskId), keys.log(taskId), keys.request(requestKey)],
      ...[...steps.keys, ...laneKeys, ...(isWhole ? ownerKeys(deps, owner) : [])],
    ],
    [textOfHead(head), taskId, steps.text, isWhole ? '1' : '0', owner ?? '', requestKey, String(laneKeys.length), ...steps.args],
  );
  heads.forget(taskId);
  const answer = integerOf(reply);
  if (answer === 1 && owner !== undefined && name) await dropName(deps, owner, name).catch(() => undefined);
  return answer === 0 ? 'conflict' : 'removed';
}
