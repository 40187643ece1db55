import { expectTypeOf } from 'vitest';
import { TaskBridgeProvider, contractHooks, contractPartHooks, useStartTask as useAnyStart, useTask as useAnyTask } from 'taskbridge/react';
import type { ContractClient, TaskIdOf } from 'taskbridge/client/contract';
import type { tasks } from './tasks.ts';

/** Never run: the compiler is the test, and what it must refuse is expected to be an error. */
export function Page({
  client,
  id,
}: {
  readonly client: ContractClient<typeof tasks>;
  readonly id: TaskIdOf<'report.build'> | null;
}): void {
  const { useTask, useStartTask, useTaskSelector, useTaskActions, useSuspenseTask, useTasks, useQuestions } = contractHooks<typeof tasks>();
  // A client with types is a client.
  void TaskBridgeProvider({ client });

  const { task, act, cancel } = useTask<'report.build'>(id);
  expectTypeOf(task.result).toEqualTypeOf<{ rows: number; kept?: string | undefined } | undefined>();
  const [question] = task.openSuspensions;
  if (question?.reasonCode === 'duplicates') {
    expectTypeOf(question.interaction.samples).toEqualTypeOf<string[]>();
    void act(question, 'custom', { column: 'a' });
    void act(question, 'keep-first');
    // @ts-expect-error a payload that is missing
    void act(question, 'custom');
    // @ts-expect-error a payload of another action
    void act(question, 'custom', { row: 1 });
    // @ts-expect-error a foreign action
    void act(question, 'agnet');
  }
  void cancel();
  // @ts-expect-error a type that the contract has not got
  useTask<'report.biuld'>('id');
  // Of whichever type it is.
  expectTypeOf(useTask('id').task.result).not.toBeAny();

  expectTypeOf(useSuspenseTask<'report.build'>('id').task.result).toEqualTypeOf<{ rows: number; kept?: string | undefined } | undefined>();
  expectTypeOf(useTasks({ type: 'report.build' }).tasks[0]?.result).toEqualTypeOf<
    { rows: number; kept?: string | undefined } | undefined
  >();
  // @ts-expect-error a type that the contract has not got
  useTasks({ type: 'report.biuld' });
  const [first] = useQuestions<'report.build'>(id);
  if (first?.reasonCode === 'duplicates') expectTypeOf(first.interaction.samples).toEqualTypeOf<string[]>();

  const { start, status } = useStartTask();
  expectTypeOf(status).toEqualTypeOf<'idle' | 'starting' | 'started' | 'failed'>();
  void start({ taskType: 'report.build', input: { month: 'May' } });
  // @ts-expect-error a type that the contract has not got
  void start({ taskType: 'agnet', input: {} });
  // @ts-expect-error a field that is missing
  void start({ taskType: 'report.build', input: {} });

  expectTypeOf(useTaskSelector(id, ({ task: { progress } }) => progress?.progress)).toEqualTypeOf<number | undefined>();
  void useTaskActions<'report.build'>(id).act('s', 'yes');

  const { usePart } = contractPartHooks<typeof tasks>();
  expectTypeOf(usePart(id, 'summary')?.text).toEqualTypeOf<string | undefined>();
  usePart<'report.build'>('id', 2);
  // @ts-expect-error a part that the contract has not got
  usePart(id, 'answer');
}

interface Order {
  readonly items: readonly string[];
  readonly gift?: boolean;
}

/** Without a contract, what is sent may be of an interface. */
export function AnyPage({ order }: { readonly order: Order }): void {
  void useAnyStart().start({ taskType: 'order', input: order });
  void useAnyTask('id').act('s', 'a', order);
  // @ts-expect-error a function is no JSON
  void useAnyTask('id').act('s', 'a', { run: () => 1 });
}
