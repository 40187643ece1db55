import { setTimeout as rest } from 'node:timers/promises';
import { TOKEN_TEXT } from './part-writing.ts';

/** Tokens that are said at a steady pace, whatever becomes of them. */
export interface TokenPace {
  readonly tasks: readonly string[];
  /** Of each task. */
  readonly perSecond: number;
  readonly ms: number;
  /** As text that grows, or as a fact each. */
  readonly as: 'text' | 'facts';
}

/** What came of it. */
export interface TokenResult {
  readonly tokens: number;
  /** How many of them say when they were said. */
  readonly stamped: number;
  readonly ms: number;
}

/** What a system can be told whose tasks speak token by token. */
export interface TokenSystem {
  /** Makes tasks that run and are silent; gives their ids. */
  create(load: { readonly count: number }): Promise<readonly string[]>;
  /** Has each of them begin a text; resolves when its first token is in the store. */
  open(load: { readonly tasks: readonly string[] }): Promise<void>;
  say(pace: TokenPace): Promise<TokenResult>;
  /** Makes a task with a text of that many bytes, which ends with `JOIN_END`; gives its id. */
  fill(load: { readonly bytes: number }): Promise<string>;
  /** Processor time that the process has used, in microseconds. */
  cpu(nothing: null): number;
  /** In bytes, after collections of garbage. */
  memory(nothing: null): Promise<{ readonly rss: number; readonly heap: number }>;
}

/** How a long text ends, and what is nowhere else: one character, which no frame cuts in two. */
export const JOIN_END = '€';
const END_BYTES = Buffer.byteLength(JOIN_END);

/** Of as many tokens of a task, one says when it was said. */
const STAMPED_EVERY = 20;
const PACE_MS = 1;

/** Says tokens of all tasks in turn. */
export async function sayTokens({ tasks, perSecond, ms }: TokenPace, say: (task: number, token: string) => void): Promise<TokenResult> {
  const begun = performance.now();
  let tokens = 0;
  let stamped = 0;
  for (let after = 0; after < ms; after = performance.now() - begun) {
    const due = Math.floor((after / 1000) * perSecond * tasks.length);
    for (; tokens < due; tokens += 1) {
      const isStamped = Math.floor(tokens / tasks.length) % STAMPED_EVERY === 0;
      if (isStamped) stamped += 1;
      say(tokens % tasks.length, isStamped ? ` told @${process.hrtime.bigint()}@` : TOKEN_TEXT);
    }
    await rest(PACE_MS);
  }
  return { tokens, stamped, ms: performance.now() - begun };
}

/** A text as models write it: lines, quotes, a few characters of two bytes and more. */
export function joinText(bytes: number): string {
  const line = 'He said “so”, and "went on" with what a long answer has: naïve ideas, 12 % of them über, in lines.\n';
  const lines = line.repeat(Math.floor((bytes - END_BYTES) / Buffer.byteLength(line)));
  return lines.padEnd(lines.length + bytes - Buffer.byteLength(lines) - END_BYTES, 'x') + JOIN_END;
}
