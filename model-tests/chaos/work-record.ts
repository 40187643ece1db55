import type { Fact } from 'taskbridge/wire';
import type { Creation } from './run-record.ts';
import type { Logs } from './checker.ts';

/** What a host says when it calls a handler, and when that is over. */
export type HostMessage = { readonly began: string; readonly attempt: number } | { readonly over: string; readonly attempt: number };

/** One call of a handler. Times are milliseconds of the judge's own clock. */
interface HandlerCall {
  readonly taskId: string;
  readonly attempt: number;
  /** The life of the host that it ran in. */
  readonly life: HostLife;
  readonly begunAt: number;
  overAt: number | undefined;
}

/** From a start of a host's process to its end. */
interface HostLife {
  /** When it was told to close, or killed. */
  endedAt: number | undefined;
}

/** Which handlers ran when, in which lives of the hosts, as these told of it. */
export class WorkRecord {
  readonly #calls: HandlerCall[] = [];
  readonly #lives = new Map<number, HostLife>();

  heard(host: number, message: HostMessage): void {
    const now = performance.now();
    const life = this.#lives.get(host) ?? { endedAt: undefined };
    this.#lives.set(host, life);
    if ('began' in message) {
      this.#calls.push({ taskId: message.began, attempt: message.attempt, life, begunAt: now, overAt: undefined });
      return;
    }
    const call = this.#calls.find((one) => one.life === life && one.taskId === message.over && one.attempt === message.attempt);
    if (call) call.overAt = now;
  }

  /** A host is told to close. */
  closes(host: number): void {
    const life = this.#lives.get(host);
    if (life) life.endedAt ??= performance.now();
  }

  /** The process of a host is gone, and all that ran in it. */
  gone(host: number): void {
    this.closes(host);
    const life = this.#lives.get(host);
    for (const call of this.#calls) if (call.life === life) call.overAt ??= performance.now();
    this.#lives.delete(host);
  }

  /** Tells of each task that ran twice at once for longer than a lease, and of each that was lost where nothing was. */
  judge(creations: readonly Creation[], logs: Logs, leaseMs: number): string[] {
    const byTask = new Map<string, HandlerCall[]>();
    for (const call of this.#calls) byTask.set(call.taskId, [...(byTask.get(call.taskId) ?? []), call]);
    const twice = [...byTask].flatMap(([taskId, calls]) => {
      const overlapMs = Math.max(0, ...calls.flatMap((one, at) => calls.slice(at + 1).map((other) => overlap(one, other))));
      return overlapMs > leaseMs ? [`${taskId} ran twice at once for ${Math.round(overlapMs)} ms`] : [];
    });
    const lost = creations.flatMap(({ input, taskIds }) =>
      [...taskIds].flatMap((taskId) => {
        const end = logs.get(taskId)?.at(-1);
        if (!end || !isLost(end)) return [];
        if (input.repeatable) return [`${taskId} may be repeated, and is lost: ${end.payload.message}`];
        const calls = byTask.get(taskId) ?? [];
        // A host that is killed between the start that it wrote and the handler that it calls says no word of it.
        const hasStarted = logs.get(taskId)?.some(({ type }) => type === 'TASK_STARTED');
        if (calls.length === 0) return hasStarted ? [] : [`${taskId} is lost, and never began`];
        return calls.some(({ life }) => life.endedAt !== undefined) ? [] : [`${taskId} is lost, and no host that ran it has ended`];
      }),
    );
    return [...twice, ...lost];
  }
}

/** True for the end of work that nobody could go on with. */
export function isLost(fact: Fact): fact is Fact<'TASK_FAILED'> {
  return fact.type === 'TASK_FAILED' && fact.payload.code === 'WORK_LOST';
}

function overlap(one: HandlerCall, other: HandlerCall): number {
  const until = Math.min(one.overAt ?? Number.POSITIVE_INFINITY, other.overAt ?? Number.POSITIVE_INFINITY);
  return until - Math.max(one.begunAt, other.begunAt);
}
