import { lmdbStore } from '../../../adapters/lmdb/index.ts';
import { eventId, parseEventId } from '../../../machines/wire/index.ts';
import type { Fence } from '../../../server/ports/index.ts';
import { commitOf, factOf } from '../../conformance/store/samples.ts';
import { bytesFrom, CLOSED_AT } from './lane-text.ts';
import { say } from './say.ts';

// Writes lanes of the tasks that are named after the folder, all at once, for ever: opens one, flushes, seals and closes it, kept or dropped. Prints
// `<task> <lane> <length>` for what was acknowledged. What a process before it left open goes on in a new epoch.
const [, , path = '', ...taskIds] = process.argv;
const store = lmdbStore({ path });
await store.open();
const { lanes } = store;
if (!lanes) throw new Error('The store keeps no lanes.');

async function next(taskId: string, change: (n: number) => Parameters<typeof commitOf>[2]): Promise<void> {
  const [last] = await store.lastEventIds([taskId]);
  const n = (last ? (parseEventId(last)?.n ?? 0) : 0) + 1;
  const revision = (await store.load(taskId))?.revision ?? 0;
  const answer = await store.append(commitOf(taskId, revision, { facts: [factOf(taskId, n)], ...change(n) }));
  if (answer !== 'committed') throw new Error(`Revision ${revision} of ${taskId}: ${answer}.`);
}

async function begun(taskId: string): Promise<{ readonly fence: Fence; readonly length: number }> {
  const [newest] = (await lanes?.newest([taskId])) ?? [];
  const own = { taskId, attempt: process.pid, node: String(process.pid) };
  for (const { lane, epoch, length } of newest?.lanes ?? []) {
    const fence: Fence = { ...own, lane, epoch: { mark: `${process.pid}`, was: epoch.mark, from: length } };
    await next(taskId, () => ({ lanes: { continue: [fence] } }));
    return { fence, length };
  }
  let fence: Fence | undefined;
  await next(taskId, (n) => {
    fence = { ...own, lane: eventId(n, 1_790_000_000_000 + n), epoch: { mark: `${process.pid}`, was: null, from: 0 } };
    return { lanes: { open: [fence] } };
  });
  if (!fence) throw new Error('No lane was opened.');
  return { fence, length: 0 };
}

await Promise.all(
  taskIds.map(async (taskId) => {
    for (let round = 0; ; round += 1) {
      const { fence, length } = await begun(taskId);
      for (let at = length; at < CLOSED_AT;) {
        const bytes = bytesFrom(at, 1 + ((at * 7 + round) % 700));
        const [answer] = await lanes.flush([{ fence, at, bytes }]);
        if (answer !== 'ok') throw new Error(`Flush of ${fence.lane} of ${taskId}: ${JSON.stringify(answer)}.`);
        at += bytes.length;
        await say(`${taskId} ${fence.lane} ${at}`);
      }
      const bytes = await lanes.seal(fence);
      if (bytes === 'fenced') throw new Error(`Seal of ${fence.lane} of ${taskId}: fenced.`);
      await next(taskId, (n) => ({ lanes: { close: [{ lane: fence.lane, bytes, keeps: n % 3 !== 0 }] } }));
    }
  }),
);
