import { z } from 'zod';
import { defineTasks, question, task } from 'taskbridge/contract';

/** The contract of the tests: one type with all there is, one with nothing. */
export const tasks = defineTasks({
  'report.build': task({
    input: z.object({ month: z.string().min(1), rows: z.number().default(3) }),
    result: z.object({ rows: z.number(), kept: z.string().optional() }),
    questions: {
      duplicates: question({
        actions: { 'keep-first': z.object({}), custom: z.object({ column: z.string().trim().min(1) }) },
        interaction: z.object({ samples: z.array(z.string()) }),
      }),
      sure: question({ reasonCode: 'ARE_YOU_SURE', actions: { yes: z.object({}) } }),
    },
    parts: { summary: 'text', rows: 'jsonl', totals: 'latest' },
  }),
  echo: task({}),
});
