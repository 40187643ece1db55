/** The work: page by page, with a question in the middle. A run after a crash goes on behind the last page that was saved. */
import { setTimeout } from 'node:timers/promises';
import type { HandledTask } from 'taskbridge/adapters/worker';
import type { DefinitionOf } from 'taskbridge/contract';
import type { tasks } from './tasks.ts';

export type ReportTask = HandledTask<DefinitionOf<typeof tasks, 'report.build'>>;

export async function buildReport(task: ReportTask): Promise<{ pages: number; kept: string }> {
  const { pages, pageMs } = task.input;
  const ask = async () => (await task.suspend('duplicates', {})).actionType;
  let kept: string | undefined;
  for (let page = Number(task.saved ?? 0) + 1; page <= pages; page++) {
    await setTimeout(pageMs, undefined, { signal: task.signal });
    // In one turn with what is shown of it: both are committed, or neither.
    void task.save(page);
    await task.progress((100 * page) / pages, { stage: `page ${page} of ${pages}` });
    if (page === Math.ceil(pages / 2)) kept = await ask();
  }
  // A run that went on behind the question gets the answer that was given.
  kept ??= await ask();
  return { pages, kept };
}
