import type { JsonObject } from '../../machines/wire/index.ts';

/** How much is appended at once. */
export interface AppendLoad {
  readonly tasks: readonly string[];
  /** Appends that are not answered yet, at most; spread over the tasks. */
  readonly inFlight: number;
  /** Facts that are appended in one breath. */
  readonly group: number;
  readonly ms: number;
}

/** A steady pace of appends, spread over the tasks, which is kept whatever the answers take. */
export interface AppendPace {
  readonly tasks: readonly string[];
  readonly perSecond: number;
  readonly ms: number;
}

/** What came of it. */
export interface AppendResult {
  readonly facts: number;
  readonly ms: number;
}

/** What every system can be told, whatever it is written in. */
export interface BenchedSystem {
  /**
   * Makes tasks that run and wait; gives their ids. `handled` ones are run by a handler, as applications write it; the facts of `reported` ones
   * come by the method that every executor is given. Others than ours know one kind.
   */
  createTasks(load: { readonly count: number; readonly kind: 'handled' | 'reported' }): Promise<readonly string[]>;
  /** Appends as fast as it can for a while. */
  append(load: AppendLoad): Promise<AppendResult>;
  /** Reports that many facts of a task in one turn, without waiting; viewers get them. `at` is written into each. */
  publish(load: { readonly taskId: string; readonly count: number; readonly at?: string }): void;
  /** Appends facts and waits for them; gives the cursor before the first of them. */
  fill(load: { readonly taskId: string; readonly count: number }): Promise<string>;
  /** Appends one fact after the other, one at a time for each task in turn; gives the milliseconds that it took. */
  appendEach(load: { readonly tasks: readonly string[]; readonly each: number }): Promise<number>;
  /** Processor time that the process has used, in microseconds. */
  cpu(nothing: null): number;
  /** After a collection of garbage, where there is one to ask for. In bytes. */
  memory(nothing: null): Promise<{ readonly rss: number; readonly heap: number }>;
}

/** What can be told to append, and no more. */
export type AppendingSystem = Pick<BenchedSystem, 'createTasks' | 'append' | 'cpu'>;

/** Our own, which can be told a pace as well. */
export interface PacedSystem extends BenchedSystem {
  /** Appends at a steady pace, each task's own after the one before. */
  appendPaced(load: AppendPace): Promise<AppendResult>;
  /** Adds a text to the part `answer` of a `handled` task, without waiting; the first one opens it. */
  write(load: { readonly taskId: string; readonly text: string }): void;
}

/** What a system says when it is ready. */
export interface SystemAddress {
  /** Where viewers come to. */
  readonly port: number;
  readonly control: number;
}

/** The token that every viewer shows; whoever checks tokens takes it for the name of the owner. */
export const TOKEN = 'ada';

/** What every fact says: with its envelope about 240 bytes. */
export function factPayload(n: number, at = 'now'): JsonObject & { progress: number; stage: string; message: string } {
  return { progress: n % 101, stage: 'measuring', message: `One of very many, which were told @${at}@ of.` };
}
