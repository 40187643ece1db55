import type { Argument, RedisConnection } from './connection.ts';
import { listOf, integerOf, textOf } from './reply.ts';
import type { Script } from './scripts/index.ts';

/** A commit as the script takes it. */
export interface AppendCall {
  /** Commits of one group may share a call: on a cluster those of one slot. */
  readonly group: string;
  readonly keys: readonly string[];
  readonly args: readonly Argument[];
}

/** What became of a commit. */
export type Appended = 'committed' | 'conflict' | 'lease changed';

/** The answers of the script. */
const answers: readonly Appended[] = ['conflict', 'committed', 'lease changed'];

/** Writes a commit. Rejects where the outcome is unknown. */
export type Appender = (call: AppendCall) => Promise<Appended>;

interface Waiting extends AppendCall {
  resolve(answer: Appended): void;
  reject(error: unknown): void;
}

/** Redis serves nobody else while a script runs, and a call is one message: so neither is let grow. */
const COMMITS_MAX = 32;
const ARGUMENTS_MAX = 4000;
const BYTES_MAX = 256 * 1024;

/** Commits of one turn of the event loop travel in one call, since a call costs more than what it carries. Each keeps its own answer. */
export function createAppender(connection: RedisConnection, script: Script): Appender {
  let waiting: Waiting[] = [];

  function flush(): void {
    const ready = waiting;
    waiting = [];
    for (const calls of grouped(ready)) void send(calls);
  }

  async function send(calls: readonly Waiting[]): Promise<void> {
    const keys: string[] = [];
    const args: Argument[] = [];
    for (const call of calls) {
      keys.push(...call.keys);
      args.push(...call.args);
    }
    try {
      const replies = listOf(await connection.run(script, keys, args));
      for (const [i, { resolve, reject }] of calls.entries()) {
        const reply = integerOf(replies[i]);
        const answer = reply === undefined ? undefined : answers[reply];
        if (answer) resolve(answer);
        else reject(connection.refusal(script, calls[i]?.keys ?? [], textOf(replies[i])));
      }
    } catch (error) {
      for (const { reject } of calls) reject(error);
    }
  }

  return (call) =>
    new Promise((resolve, reject) => {
      waiting.push({ ...call, resolve, reject });
      if (waiting.length === 1) process.nextTick(flush);
    });
}

/** Sorts commits into calls, those of a group in their order. */
function grouped(ready: readonly Waiting[]): readonly (readonly Waiting[])[] {
  const calls: Waiting[][] = [];
  const open = new Map<string, { readonly calls: Waiting[]; args: number; bytes: number }>();
  for (const call of ready) {
    const args = call.args.length;
    let bytes = 0;
    for (const argument of call.args) bytes += argument.length;
    const group = open.get(call.group);
    if (group && group.calls.length < COMMITS_MAX && group.args + args <= ARGUMENTS_MAX && group.bytes + bytes <= BYTES_MAX) {
      group.calls.push(call);
      group.args += args;
      group.bytes += bytes;
    } else {
      const own = [call];
      calls.push(own);
      open.set(call.group, { calls: own, args, bytes });
    }
  }
  return calls;
}
