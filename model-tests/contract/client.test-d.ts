import { expectTypeOf } from 'vitest';
import { createTaskBridgeClient, type TaskBridgeClient } from 'taskbridge/client';
import { withContract, type ContractClient } from 'taskbridge/client/contract';
import { createTaskBridgeClient as createNodeClient } from 'taskbridge/client/node';
import { partOf } from 'taskbridge/client/parts';
import type { Json, JsonObject } from 'taskbridge/wire';
import type { tasks } from './tasks.ts';

/** Never run: the compiler is the test, and what it must refuse is expected to be an error. */
export async function client(): Promise<void> {
  const typed: ContractClient<typeof tasks> = createTaskBridgeClient<typeof tasks>({ baseUrl: 'https://example.org' });
  const untyped: TaskBridgeClient = createTaskBridgeClient({ baseUrl: 'https://example.org' });
  await untyped.start({ taskType: 'whatever', input: { any: ['thing'] } });
  const others: readonly ContractClient<typeof tasks>[] = [
    withContract<typeof tasks>(untyped),
    createNodeClient<typeof tasks>({ baseUrl: 'https://example.org' }),
  ];
  void others;
  // Wherever a client is asked for, one with types is one.
  const handedOn: TaskBridgeClient = typed;
  void handedOn;

  const { taskId } = await typed.start({ taskType: 'report.build', input: { month: 'May' } });
  await typed.start({ taskType: 'report.build', input: { month: 'May', rows: 3 }, clientRequestId: 'r' });
  await typed.start({ taskType: 'echo' });
  // @ts-expect-error a type that the contract has not got
  await typed.start({ taskType: 'report.biuld', input: { month: 'May' } });
  // @ts-expect-error an input that is missing
  await typed.start({ taskType: 'report.build' });
  // @ts-expect-error a field that is missing
  await typed.start({ taskType: 'report.build', input: { rows: 3 } });
  // @ts-expect-error a field of another type
  await typed.start({ taskType: 'report.build', input: { month: 5 } });
  // @ts-expect-error a field that there is not
  await typed.start({ taskType: 'report.build', input: { month: 'May', year: 2026 } });

  const observation = typed.observe(taskId);
  const { task } = observation.getSnapshot();
  expectTypeOf(task.result).toEqualTypeOf<{ rows: number; kept?: string | undefined } | undefined>();
  for (const question of task.openSuspensions) {
    expectTypeOf(question.reasonCode).toEqualTypeOf<'duplicates' | 'ARE_YOU_SURE'>();
    if (question.reasonCode === 'duplicates') {
      expectTypeOf(question.interaction.samples).toEqualTypeOf<string[]>();
      expectTypeOf(question.allowedActions).toEqualTypeOf<readonly ('keep-first' | 'custom')[]>();
      expectTypeOf(question.interaction.$actions.custom).not.toBeUndefined();
    }
    // @ts-expect-error a question that is not asked
    if (question.reasonCode === 'other') return;
  }
  void partOf(observation, 'summary');
  void partOf(observation, 2);
  // @ts-expect-error a part that the contract has not got
  void partOf(observation, 'answer');
  // Of a type that names none, of any type, and without a contract.
  for (const any of [typed.observe<'echo'>('id'), typed.observe('id'), untyped.observe('id')]) void partOf(any, 'answer');
  for await (const fact of observation) {
    if (fact.type === 'TASK_SUSPENDED') expectTypeOf(fact.payload.suspendId).toEqualTypeOf<string>();
    if (fact.type === 'TASK_FAILED') expectTypeOf(fact.payload.retryable).toEqualTypeOf<boolean>();
  }

  await typed.act(taskId, { suspendId: 's', actionType: 'custom', payload: { column: 'a' } });
  await typed.act(taskId, { suspendId: 's', actionType: 'yes' });
  // @ts-expect-error a foreign action
  await typed.act(taskId, { suspendId: 's', actionType: 'no' });
  // @ts-expect-error a payload that is missing
  await typed.act(taskId, { suspendId: 's', actionType: 'custom' });
  // @ts-expect-error a payload of another action
  await typed.act(taskId, { suspendId: 's', actionType: 'custom', payload: { row: 1 } });

  // An id from elsewhere: its type is named, or it is one of all.
  expectTypeOf(typed.observe<'report.build'>('id').getSnapshot().task.result).toEqualTypeOf<typeof task.result>();
  const { tasks: listed } = await typed.list({ type: 'report.build', state: 'completed' });
  expectTypeOf(listed[0]?.result).toEqualTypeOf<{ rows: number; kept?: string | undefined } | undefined>();
  for (const one of (await typed.list()).tasks)
    if (one.taskType === 'report.build') expectTypeOf(one.result?.rows).toEqualTypeOf<number | undefined>();
  // @ts-expect-error no type of the contract
  void typed.list({ type: 'agnet' });
  expectTypeOf((await typed.retry(taskId)).taskId).toEqualTypeOf<typeof taskId>();
  expectTypeOf((await typed.retry<'report.build'>('id', { title: 'Again' })).taskId).toEqualTypeOf<typeof taskId>();
  expectTypeOf((await typed.get(taskId)).result).toEqualTypeOf<{ rows: number; kept?: string | undefined } | undefined>();
  // @ts-expect-error a type that the contract has not got
  typed.observe<'report.biuld'>('id');
  await typed.cancel(taskId, 'no use');
}

interface Item {
  readonly name: string;
  readonly note?: string;
}
interface Order {
  readonly items: readonly Item[];
  readonly gift?: boolean | undefined;
}

/** What is sent may be of an interface, and have optional fields. */
export async function sent(untyped: TaskBridgeClient, order: Order, alias: { readonly a: string; readonly b?: number }): Promise<void> {
  await untyped.start({ taskType: 'order', input: order, metadata: alias });
  await untyped.start({ taskType: 'order', input: alias });
  await untyped.act('id', { suspendId: 's', actionType: 'a', payload: order });
  const kept: JsonObject = alias;
  expectTypeOf(kept['a']).toEqualTypeOf<Json | undefined>();
  // @ts-expect-error a function is no JSON
  await untyped.start({ taskType: 'order', input: { run: () => 1 } });
  // @ts-expect-error nor is a date
  await untyped.start({ taskType: 'order', input: { at: new Date() } });
  // @ts-expect-error nor a bigint
  await untyped.act('id', { suspendId: 's', actionType: 'a', payload: { n: 1n } });
  // @ts-expect-error a text is no object
  await untyped.start({ taskType: 'order', input: 'text' });
}
