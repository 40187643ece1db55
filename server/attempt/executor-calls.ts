import type { Clock } from '../ports/clock.ts';
import type { TaskExecutor } from '../ports/executor.ts';
import { noAnswerWithin } from './time-limit.ts';

/** What calls of executors are bounded by. */
export interface ExecutorCallsDeps {
  readonly clock: Clock;
  /** Calls of one executor at once. */
  readonly callsMax: number;
  /** How long one may take, in milliseconds. */
  readonly timeoutMs: number;
}

interface Waiter {
  begin(): void;
  reject(error: Error): void;
}

interface Lane {
  active: number;
  readonly waiting: Waiter[];
}

/** What a call is for: somebody waits for a start, so it does not wait behind all that an outside system is asked by itself. */
export type CallKind = 'start' | 'other';

/** How long an executor has for an answer once this server closes, in milliseconds. */
const CLOSING_MS = 1000;

/** Calls of executors: so many of one at once and of a kind, the others in turn, and each for so long. One that does not answer delays no other. */
export class ExecutorCalls {
  readonly #deps: ExecutorCallsDeps;
  readonly #lanes = new Map<TaskExecutor, Readonly<Record<CallKind, Lane>>>();
  /** Of those that wait for an answer: told when they have waited long enough. */
  readonly #asking = new Set<(error: Error) => void>();
  #closed = false;
  #moment: unknown;

  constructor(deps: ExecutorCallsDeps) {
    this.#deps = deps;
  }

  /** Calls an executor when it is the turn. Rejects without an answer in time, which may still come to pass, and while it waits at the close. */
  async call<T>(executor: TaskExecutor, ask: () => Promise<T>, kind: CallKind = 'other'): Promise<T> {
    const lane = this.#lanesOf(executor)[kind];
    if (lane.active < this.#deps.callsMax) lane.active += 1;
    else await this.#turn(lane, executor);
    try {
      return await this.#ask(ask);
    } finally {
      const next = lane.waiting.shift();
      if (next) next.begin();
      else lane.active -= 1;
    }
  }

  /** Calls of an executor that could begin now. */
  free(executor: TaskExecutor): number {
    const { active, waiting } = this.#lanesOf(executor).other;
    return Math.max(0, this.#deps.callsMax - active - waiting.length);
  }

  /** Calls that have no answer yet, of all executors. */
  get pending(): number {
    let sum = 0;
    for (const { start, other } of this.#lanes.values()) sum += start.active + start.waiting.length + other.active + other.waiting.length;
    return sum;
  }

  /** Those that wait for their turn do not get it any more, and those that wait for an answer do so for a moment. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#moment = this.#deps.clock.setTimeout(() => {
      for (const giveUp of this.#asking) giveUp(notAnswered());
    }, CLOSING_MS);
    for (const [executor, lanes] of this.#lanes)
      for (const { waiting } of Object.values(lanes)) for (const { reject } of waiting.splice(0)) reject(closing(executor));
  }

  /** Nobody waits any more. */
  end(): void {
    this.#deps.clock.clearTimeout(this.#moment);
  }

  /** One promise, and no race of two: every task is asked for at least twice. */
  #ask<T>(ask: () => Promise<T>): Promise<T> {
    const { clock } = this.#deps;
    const timeoutMs = this.#closed ? Math.min(this.#deps.timeoutMs, CLOSING_MS) : this.#deps.timeoutMs;
    return new Promise((resolve, reject) => {
      const giveUp = (error: Error): void => {
        over();
        reject(error);
      };
      const timer = clock.setTimeout(() => giveUp(this.#closed ? notAnswered() : noAnswerWithin(timeoutMs)), timeoutMs);
      const over = (): void => {
        clock.clearTimeout(timer);
        this.#asking.delete(giveUp);
      };
      this.#asking.add(giveUp);
      try {
        ask().then((answer) => {
          over();
          resolve(answer);
        }, giveUp);
      } catch (error) {
        // Handed on as it was thrown.
        giveUp(error as Error);
      }
    });
  }

  #turn(lane: Lane, executor: TaskExecutor): Promise<void> {
    if (this.#closed) return Promise.reject(closing(executor));
    return new Promise((begin, reject) => lane.waiting.push({ begin, reject }));
  }

  #lanesOf(executor: TaskExecutor): Readonly<Record<CallKind, Lane>> {
    const lanes = this.#lanes.get(executor) ?? { start: { active: 0, waiting: [] }, other: { active: 0, waiting: [] } };
    this.#lanes.set(executor, lanes);
    return lanes;
  }
}

function notAnswered(): Error {
  return new Error('An executor has not answered: this server is closing.');
}

function closing({ name }: TaskExecutor): Error {
  return new Error(`The executor ${name} was not asked: this server is closing.`);
}
