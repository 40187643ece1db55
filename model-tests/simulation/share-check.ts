import { memoryStore, type Memory } from '../../adapters/memory/index.ts';
import type { Store } from '../../server/ports/index.ts';
import { recount } from '../../server/shares/recount.ts';
import { ShareBook } from '../../server/shares/share-book.ts';
import { taskSettings } from '../../server/task/settings.ts';
import { storeClock } from '../../server/task/store-clock.ts';
import type { Plan } from './plan.ts';
import type { World } from './world.ts';

const RULE = 'shares are what the tasks say';

/**
 * True where no count may be lost: one node, which neither crashes nor closes, on a store that keeps what it has. Of several one may count what
 * another has changed and not told of yet.
 */
export const countsExactly = ({ nodes, decisions }: Plan): boolean =>
  nodes.length === 1 && !/crash|"restore"|"close"/.test(JSON.stringify(decisions));

/** Owners whose counts are not what their tasks say, once all of these have ended. */
export function unevenOwners({ owners, tasks }: Memory): readonly string[] {
  return [...owners].flatMap(([owner, { shares }]) => {
    const own = [...tasks.values()].filter((task) => task.owner === owner).length;
    return shares.active + shares.waiting + shares.questions > 0 || shares.tasks !== own ? [`${owner}: ${JSON.stringify(shares)}`] : [];
  });
}

/**
 * Once all tasks have ended: every task is named, and in the list of its state; and whatever crashes have done to the counts of its owner, a
 * recount finds what the tasks say.
 */
export async function checkShares(world: World, memory: Memory, plant: (store: Store) => Store): Promise<void> {
  const clock = { now: () => world.now, setTimeout: () => undefined, clearTimeout: () => undefined };
  const plain = memoryStore({ memory, clock });
  await plain.open();
  const store = plant(plain);
  const logger = { warn: () => undefined, error: () => undefined };
  const book = new ShareBook({ store, logger, settings: taskSettings() });
  const tasks = [...memory.tasks.values()];
  for (const owner of new Set(tasks.map((task) => task.owner))) {
    const own = tasks.filter((task) => task.owner === owner);
    for (const { requestKey, taskId } of own)
      if (!memory.owners.get(owner)?.namedAt.has(requestKey)) world.fault(RULE, `task ${taskId} of ${owner} has no name`);
    if (!(await recount(owner, { store, book, time: storeClock(store, clock) }))) world.fault(RULE, `${owner} could not be counted`);
    const { shares } = await plain.shares(owner);
    const { active, waiting, questions } = shares;
    if (active + waiting + questions > 0 || shares.tasks !== own.length)
      world.fault(RULE, `${owner} has ${own.length} tasks that have ended, and is said to have ${JSON.stringify(shares)}`);
  }
  for (const { taskId, taskType, state } of tasks) {
    const listed = await plain.inState(state, taskType, tasks.length);
    const word = (JSON.parse(memory.tasks.get(taskId)?.fields.get('task') ?? '{}') as { state?: string }).state;
    if (state !== word || !listed.some((each) => each.taskId === taskId))
      world.fault(RULE, `task ${taskId} is ${word}, and listed as ${state}`);
  }
  const counted = (await plain.counts()).reduce((sum, { count }) => sum + count, 0);
  if (counted !== tasks.length) world.fault(RULE, `there are ${tasks.length} tasks, and ${counted} in lists`);
}
