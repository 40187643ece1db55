import type { CreateTaskRequest, ErrorCode, Fact, TransportName } from '../../machines/wire/index.ts';
import type { Clock } from '../clock.ts';
import { createScriptedTask, type InnerScriptedTask } from './scripted-task.ts';

/** What comes to a scripted server: a command, a snapshot, or one of the transports. */
export interface ScriptedCall {
  readonly kind: TransportName | 'start' | 'act' | 'cancel' | 'get';
  /** Undefined for a start. */
  readonly taskId: string | undefined;
}

/** How a call is refused. */
export interface ScriptedCallRefusal {
  readonly status: number;
  readonly code: ErrorCode;
  readonly retryAfterSeconds?: number;
}

/** Says who is refused, and how. */
export type ScriptedPolicy = (call: ScriptedCall) => ScriptedCallRefusal | undefined;

/** What a test starts; `clientRequestId` defaults to a fresh one. */
export type ScriptedStart = Pick<CreateTaskRequest, 'taskType'> & Partial<CreateTaskRequest>;

/** What the parts of a scripted server share: its tasks, its clock, and what is open. */
export interface ScriptedWorld {
  readonly clock: Clock;
  readonly tasks: readonly InnerScriptedTask[];
  /** How to cut each thing that is open now. */
  readonly cuts: Set<() => void>;
  find(taskId: string | undefined): InnerScriptedTask | undefined;
  start(request: ScriptedStart): InnerScriptedTask;
  /** How a call is refused: by the script, or because there is no such task. */
  refusalOf(call: ScriptedCall): ScriptedCallRefusal | undefined;
}

/** A world without tasks. */
export function createScriptedWorld(clock: Clock, door: ScriptedPolicy): ScriptedWorld {
  const tasks: InnerScriptedTask[] = [];
  const find = (taskId: string | undefined): InnerScriptedTask | undefined => tasks.find((one) => one.taskId === taskId);
  return {
    clock,
    tasks,
    cuts: new Set(),
    find,
    start(request) {
      const number = tasks.length + 1;
      const task = createScriptedTask(`task-${number}`, { clientRequestId: `request-${number}`, ...request }, () => clock.now());
      tasks.push(task);
      return task;
    },
    refusalOf(call) {
      return door(call) ?? (call.kind === 'start' || find(call.taskId) ? undefined : { status: 404, code: 'TASK_NOT_FOUND' });
    },
  };
}

/** Tells what there is after a cursor and what comes then, until the log has ended; returns what ends it before. */
export function follow(task: InnerScriptedTask, cursor: string | null, say: (fact: Fact) => void, ended: () => void): () => void {
  for (const fact of task.after(cursor)) say(fact);
  if (task.isOver) {
    ended();
    return () => undefined;
  }
  const unwatch = task.watch((fact) => {
    say(fact);
    if (!task.isOver) return;
    unwatch();
    ended();
  });
  return unwatch;
}

/** The body of a refusal. */
export function envelopeOf({ code }: ScriptedCallRefusal): object {
  return { code, message: `The script answers ${code}.`, details: {}, timestamp: '2026-01-01T00:00:00Z' };
}
