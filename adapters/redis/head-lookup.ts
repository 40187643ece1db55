import type { StoreDeps } from './deps.ts';
import { headNames, parseHead, type Head } from './heads.ts';
import { listOf, textOf } from './reply.ts';
import { fields } from './scripts/index.ts';

/** The head at a revision, as this node knows it or as Redis has it; undefined where the task is gone or at another revision. */
export async function headAt({ connection, keys, heads }: StoreDeps, taskId: string, revision: number): Promise<Head | undefined> {
  const known = heads.known(taskId, revision);
  if (known) return known;
  const values = listOf(await connection.run(fields, [keys.task(taskId)], headNames));
  const head = parseHead(values.map((value) => (value === null ? undefined : textOf(value))));
  return head?.revision === revision ? head : undefined;
}
