import { expectTypeOf } from 'vitest';
import { z } from 'zod';
import { inProcess, type ContractHandlers, type Task } from 'taskbridge/adapters/in-process';
import { defineTasks, question, task } from 'taskbridge/contract';
import { createTaskBridge, type TaskBridge, type TaskBridgeOptions } from 'taskbridge/server';
import type { FactOrGap } from 'taskbridge/server/host';
import { tasks } from './tasks.ts';

type Handlers = ContractHandlers<typeof tasks>;
const echo: Handlers['echo'] = async ({ input, stream }) => {
  // A type that names no parts may have any, and says what they are.
  stream('any', { kind: 'text' });
  // @ts-expect-error a kind that is missing
  stream('any');
  return input;
};

interface Order {
  readonly items: readonly string[];
  readonly gift?: boolean;
}

/** Never run: the compiler is the test, and what it must refuse is expected to be an error. */
export async function host(options: Omit<TaskBridgeOptions, 'executor'>, bridge: TaskBridge): Promise<void> {
  const executor = inProcess(
    tasks,
    {
      echo,
      'report.build': {
        repeatable: true,
        async run(work) {
          expectTypeOf(work.input).toEqualTypeOf<{ month: string; rows: number }>();
          const answer = await work.suspend('duplicates', { interaction: { samples: ['a'] }, expiresInMs: 1_000 });
          if (answer.actionType === 'custom') expectTypeOf(answer.payload).toEqualTypeOf<{ column: string }>();
          else expectTypeOf(answer.actionType).toEqualTypeOf<'keep-first'>();
          const one = await work.suspend('duplicates:2', { interaction: { samples: [] }, allowedActions: ['custom'] });
          expectTypeOf(one.payload.column).toEqualTypeOf<string>();
          await work.suspend('sure', {});
          // @ts-expect-error a foreign question
          await work.suspend('other', {});
          // @ts-expect-error an interaction that is missing
          await work.suspend('duplicates', {});
          // @ts-expect-error an interaction of another shape
          await work.suspend('duplicates', { interaction: { samples: [1] } });
          // @ts-expect-error a foreign action
          await work.suspend('sure', { allowedActions: ['no'] });
          await work.stream('summary').pipe((async function* () {})());
          work.stream('rows', { flushMs: 10, onRerun: 'continue' });
          void work.stream('totals', { onRerun: 'continue' }).write({ rows: 1 });
          // @ts-expect-error a value that is replaced has nothing to pipe to
          void work.stream('totals').pipe;
          // @ts-expect-error a text is not written with values
          void work.stream('summary').write({ rows: 1 });
          // @ts-expect-error no message is made of a value
          work.stream('totals', { closeAs: 'message' });
          // @ts-expect-error a foreign part
          work.stream('answer');
          // @ts-expect-error a kind that is the contract's to say
          work.stream('summary', { kind: 'jsonl' });
          // @ts-expect-error an action that its question has not got
          if (answer.actionType === 'agnet') return { rows: 0 };
          return { rows: 1 };
        },
      },
    },
    { concurrencyMax: 10 },
  );
  createTaskBridge({ ...options, executor, contract: tasks });

  // @ts-expect-error a handler that is missing
  inProcess(tasks, { echo });
  // @ts-expect-error a handler that is foreign
  inProcess(tasks, { echo, 'report.build': async () => ({ rows: 1 }), 'report.biuld': async () => ({ rows: 1 }) });
  // @ts-expect-error a result of another shape
  inProcess(tasks, { echo, 'report.build': async () => ({ rows: 'many' }) });
  // @ts-expect-error no result where one is promised
  inProcess(tasks, { echo, 'report.build': async () => undefined });

  // Without a contract, as ever.
  inProcess({ any: async (work: Task) => ({ given: work.input['x'] ?? null }) });
  inProcess({ never: () => new Promise(() => undefined) }, { concurrencyMax: 1 });
  expectTypeOf<Parameters<typeof inProcess>[0]>().toExtend<Readonly<Record<string, unknown>>>();

  // The host's own door has the types of the wire: a caller there may be of any protocol.
  const order: Order = { items: ['a'] };
  await bridge.system.tasks('ada').start({ clientRequestId: 'r', taskType: 'order', input: order });
  // @ts-expect-error a date is no JSON
  await bridge.system.tasks('ada').start({ clientRequestId: 'r', taskType: 'order', input: { at: new Date() } });
  const { result } = await bridge.system.tasks('ada').get('id');
  expectTypeOf(result).toBeUnknown();

  // @ts-expect-error an action whose payload is no schema
  question({ actions: { yes: 'yes' } });
  // @ts-expect-error a question without actions
  task({ questions: { sure: {} } });
  // @ts-expect-error a part that there is not
  task({ output: z.object({}) });
  // @ts-expect-error a kind that there is not
  task({ parts: { answer: 'words' } });
  defineTasks({ x: { input: z.object({ a: z.string() }) } });
}

/** What is followed narrows by its type. */
export function followed(seen: FactOrGap): void {
  if (seen.type === 'GAP') expectTypeOf(seen.reason).toEqualTypeOf<'trimmed' | 'reset'>();
  else expectTypeOf(seen.eventId).toBeString();
  if (seen.type === 'TASK_SUSPENDED') expectTypeOf(seen.payload.allowedActions).toEqualTypeOf<string[]>();
  // @ts-expect-error a gap has no id
  void seen.eventId;
}
