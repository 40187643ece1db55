import { createTaskBridgeClient, TaskBridgeClientError } from 'taskbridge/client/node';
import type { RunRecord } from './run-record.ts';

/** Few, so that tasks come between its pages. */
const LIMIT = 20;

/** Goes through the list of an owner, page by page, and notes what it should not have, or lacks of what was created before; false where a page did not come. */
export async function walkList(record: RunRecord, owner: string, baseUrl: string): Promise<boolean> {
  const before = new Set(record.creations.flatMap((creation) => (creation.owner === owner ? [...creation.taskIds] : [])));
  const client = createTaskBridgeClient({ baseUrl, auth: () => owner });
  const shown: string[] = [];
  try {
    for (let after: string | null | undefined; after !== null;) {
      const page = await client.list({ limit: LIMIT, ...(after !== undefined && { after }) });
      shown.push(...page.tasks.map(({ taskId }) => taskId));
      after = page.nextAfter;
    }
  } catch (error) {
    if (error instanceof TaskBridgeClientError) return false;
    throw error;
  } finally {
    await client.close();
  }
  record.lists.walked += 1;
  const note = (what: string, ids: readonly string[]): void => {
    if (ids.length > 0) record.lists.faults.push(`the list of ${owner} ${what}: ${ids.join()}`);
  };
  note(
    'lacks',
    [...before].filter((taskId) => !shown.includes(taskId)),
  );
  note(
    'has twice',
    shown.filter((taskId, nth) => shown.indexOf(taskId) !== nth),
  );
  const foreign = new Set(record.creations.flatMap((creation) => (creation.owner === owner ? [] : [...creation.taskIds])));
  note(
    'shows those of others',
    shown.filter((taskId) => foreign.has(taskId)),
  );
  return true;
}

/** Goes through one list after the other until the run is over, by connections that break. */
export async function walkLists(
  record: RunRecord,
  owners: readonly string[],
  { isOver, urlOf }: { isOver(): boolean; urlOf(walk: number): string },
): Promise<void> {
  for (let walk = 0; !isOver(); walk += 1) await walkList(record, owners[walk % owners.length] ?? '', urlOf(walk));
}
