/** What the host and its pages agree on: what may be answered, by schemas that a page draws a form from. */
import { z } from 'zod';
import { defineTasks, question, task } from 'taskbridge/contract';

/** The job of this example, as a contract. */
export const reportTasks = defineTasks({
  'report.build': task({
    questions: {
      duplicates: question({
        reasonCode: 'DUPLICATE_ROWS',
        actions: {
          'keep-first': z.object({}).meta({ title: 'Keep the first', description: 'the row that comes first in the file' }),
          'keep-last': z.object({}).meta({ title: 'Keep the last', description: 'the row that comes last, perhaps a correction' }),
          'drop-both': z.object({}).meta({ title: 'Drop them all', description: 'none of the rows that agree' }),
          'keep-nth': z
            .object({
              place: z
                .int()
                .min(1)
                .max(1000)
                .default(2)
                .meta({ title: 'Which row of each', description: 'The last one of those that have fewer.' }),
              note: z.string().max(200).optional().meta({ title: 'Why', description: 'Stands in the report.' }),
            })
            .meta({ title: 'Keep one by its place', description: 'the second, say, of all that agree' }),
        },
        interaction: z.object({
          groups: z.int(),
          rows: z.int(),
          key: z.array(z.string()),
          columns: z.array(z.string()),
          samples: z.array(z.object({ rows: z.array(z.object({ line: z.int(), cells: z.array(z.string()) })) })),
        }),
      }),
    },
  }),
});
