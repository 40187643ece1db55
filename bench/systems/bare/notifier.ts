import type { Redis } from 'ioredis';
import type { BareTask } from './commit.ts';

/** What is made of the facts of one message, as the bytes that they were written as. */
export type FactsListener = (facts: readonly Buffer[]) => void;

const NEWLINE = 0x0a;

/** Calls back with the facts of each message about a task. Gives the function to add tasks by. */
export function notifier(subscriber: Redis): (task: BareTask, hearing: FactsListener) => Promise<void> {
  const hearings = new Map<string, FactsListener>();
  subscriber.on('messageBuffer', (channel: Buffer, message: Buffer) => hearings.get(channel.toString('latin1'))?.(linesOf(message)));
  return async (task, hearing) => {
    hearings.set(task.log, hearing);
    await subscriber.subscribe(task.log);
  };
}

function linesOf(message: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  let from = 0;
  for (let to = message.indexOf(NEWLINE); to !== -1; to = message.indexOf(NEWLINE, from)) {
    lines.push(message.subarray(from, to));
    from = to + 1;
  }
  lines.push(message.subarray(from));
  return lines;
}
