import type { Argument, RedisConnection } from './connection.ts';
import { listOf, textOf } from './reply.ts';
import type { Script } from './scripts/index.ts';

/** One of the writes that travel together, as their script takes it. */
export interface GatheredCall {
  /** Writes of one group may share a call: on a cluster those of one slot. */
  readonly group: string;
  readonly keys: readonly string[];
  readonly args: readonly Argument[];
}

interface Waiting<Answer> extends GatheredCall {
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

/** Redis serves nobody else while a script runs, and a call is one message: so neither is let grow. */
const WRITES_MAX = 32;
const ARGUMENTS_MAX = 4000;
const BYTES_MAX = 256 * 1024;

/**
 * Writes of one turn of the event loop travel in one call, since a call costs more than what it carries. Each keeps its own answer; it rejects where the
 * outcome is unknown.
 *
 * @param answerOf reads the reply to one of them; undefined where that is the error which it met.
 */
export function gatherCalls<Answer>(
  connection: RedisConnection,
  script: Script,
  answerOf: (reply: unknown) => Answer | undefined,
): (call: GatheredCall) => Promise<Answer> {
  let waiting: Waiting<Answer>[] = [];

  function flush(): void {
    const ready = waiting;
    waiting = [];
    for (const calls of grouped(ready)) void send(calls);
  }

  async function send(calls: readonly Waiting<Answer>[]): Promise<void> {
    const keys: string[] = [];
    const args: Argument[] = [];
    for (const call of calls) {
      keys.push(...call.keys);
      args.push(...call.args);
    }
    try {
      const replies = listOf(await connection.run(script, keys, args));
      for (const [i, { resolve, reject }] of calls.entries()) {
        const answer = answerOf(replies[i]);
        if (answer !== undefined) resolve(answer);
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

/** Sorts writes into calls, those of a group in their order. */
function grouped<Call extends GatheredCall>(ready: readonly Call[]): readonly (readonly Call[])[] {
  const calls: Call[][] = [];
  const open = new Map<string, { readonly calls: Call[]; args: number; bytes: number }>();
  for (const call of ready) {
    const args = call.args.length;
    let bytes = 0;
    for (const argument of call.args) bytes += argument.length;
    const group = open.get(call.group);
    if (group && group.calls.length < WRITES_MAX && group.args + args <= ARGUMENTS_MAX && group.bytes + bytes <= BYTES_MAX) {
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
