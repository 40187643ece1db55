import type { StartRequest, TaskBridgeClient, TransportName } from 'taskbridge/client';

/** What somebody met who started a task, followed it to its end and answered what it asked. */
export interface Journey {
  readonly taskId: string;
  /** The numbers of the facts, in the order in which they came. */
  readonly numbers: readonly number[];
  /** From the beginning of the observation, in milliseconds. */
  readonly firstFactMs: number;
  /** The transport in use at each question. */
  readonly transports: readonly TransportName[];
  /** What each answer was told. */
  readonly receipts: readonly string[];
  readonly result: unknown;
}

/** How it goes. */
export interface Plan {
  /** How many questions there are; 2 by default. */
  readonly rounds?: number;
  /** Waited for before a question is answered: 1, 2, 3 … */
  readonly before?: (round: number) => Promise<unknown>;
  readonly attachments?: StartRequest['attachments'];
}

/** Starts a task of a host (`host.ts`) and sees it to its end. Runs in Node and on a page. */
export async function travel(client: TaskBridgeClient, { rounds = 2, before, attachments }: Plan = {}): Promise<Journey> {
  const { taskId } = await client.start({ taskType: 'rounds', input: { rounds }, ...(attachments && { attachments }) });
  const begun = performance.now();
  const observation = client.observe(taskId);
  const numbers: number[] = [];
  const transports: TransportName[] = [];
  const receipts: string[] = [];
  let firstFactMs = Number.POSITIVE_INFINITY;
  for await (const { type, eventId, payload } of observation) {
    if (numbers.length === 0) firstFactMs = performance.now() - begun;
    numbers.push(Number(eventId.split('-')[0]));
    if (type !== 'TASK_SUSPENDED') continue;
    transports.push(observation.getSnapshot().connection.transport);
    await before?.(transports.length);
    // What the host writes is a question.
    const { suspendId } = payload as { readonly suspendId: string };
    receipts.push((await client.act(taskId, { suspendId, actionType: 'on' })).status);
  }
  return { taskId, numbers, firstFactMs, transports, receipts, result: observation.getSnapshot().task.result };
}

/** Reads the log of a task that has ended from its beginning, as somebody who comes late. */
export async function readLog(client: TaskBridgeClient, taskId: string): Promise<number[]> {
  const numbers: number[] = [];
  for await (const { eventId } of client.observe(taskId)) numbers.push(Number(eventId.split('-')[0]));
  return numbers;
}

/** The numbers of the facts of a task with so many questions: its start, three for each, its end. */
export function logOf(rounds: number): number[] {
  return Array.from({ length: 2 + 3 * rounds }, (_, index) => index + 1);
}
