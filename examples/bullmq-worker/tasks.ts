/** What host and workers agree on. */
import { z } from 'zod';
import { defineTasks, question, task } from 'taskbridge/contract';

export const tasks = defineTasks({
  'report.build': task({
    input: z.object({ pages: z.int().min(2).max(1000).default(10), pageMs: z.int().min(0).default(200) }),
    result: z.object({ pages: z.number(), kept: z.string() }),
    questions: {
      duplicates: question({ actions: { 'keep-first': z.object({}), 'keep-last': z.object({}) } }),
    },
  }),
});
