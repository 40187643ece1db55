import { inProcess, TaskFailure, type TaskStopped, type Handler, type Task } from '../../adapters/in-process/index.ts';
import type { Clock, TaskExecutor } from '../../server/ports/index.ts';
import type { Entity } from './event-queue.ts';
import type { Faults } from './faults.ts';
import type { WrittenPart } from './lane-check.ts';
import { piecesOf } from './part-text.ts';
import type { StreamStep, ValueStep, WorkPlan } from './plan.ts';
import type { Oracle } from './oracle.ts';
import type { World } from './world.ts';

/** What the work on one node is made of. */
export interface ScriptedWorkDeps {
  readonly world: World;
  readonly faults: Faults;
  readonly oracle: Oracle;
  readonly entity: Entity;
  readonly name: string;
  readonly clock: Clock;
  /** Handlers that run at once. */
  readonly slots: number | undefined;
  crash(): void;
}

const EXECUTOR_SLOW_MS = 3_000;

/** The executor of one node: the real one, whose handlers do what their task's input says, behind calls that may fail. */
export function scriptedWork(deps: ScriptedWorkDeps): TaskExecutor {
  const run = handlerOf(deps);
  const inner = inProcess(
    { again: { run, repeatable: true }, once: run },
    { clock: deps.clock, ...(deps.slots !== undefined && { concurrencyMax: deps.slots }) },
  );
  return {
    ...inner,
    start: (work) => faulty(deps, 'executor.start', () => inner.start(work)),
    resume: (attempt, resolution) => faulty(deps, 'executor.resume', () => inner.resume(attempt, resolution)),
    cancel: (attempt, order) => faulty(deps, 'executor.cancel', () => inner.cancel(attempt, order)),
  };
}

async function faulty<T>(
  { world, faults, entity, name, crash }: ScriptedWorkDeps,
  point: 'executor.start' | 'executor.resume' | 'executor.cancel',
  verb: () => Promise<T>,
): Promise<T> {
  switch (faults.strike(point, name)) {
    case 'before':
      throw new Error('The executor is out of reach.');
    case 'after':
      await verb();
      throw new Error("The executor's reply was lost.");
    case 'slow':
      await new Promise<void>((resolve) => world.after(EXECUTOR_SLOW_MS, entity, resolve));
      return verb();
    case 'crash before':
      crash();
      return new Promise(() => undefined);
    case 'crash after':
      await verb();
      crash();
      return new Promise(() => undefined);
    default:
      return verb();
  }
}

function handlerOf(deps: ScriptedWorkDeps): Handler {
  const { world, oracle, clock, entity, name, crash } = deps;

  /** A report that was said to be taken is in the log. */
  async function acknowledged(task: Task, said: Promise<void>, message: string): Promise<void> {
    await said;
    if (!entity.isDead && !oracle.of(task.taskId).everSaid.has(message))
      world.fault('acknowledged writes are in the log', `"${message}" of ${task.taskId} was acknowledged`);
  }

  async function ask(task: Task, key: string, expiresInMs: number | undefined): Promise<void> {
    const asked = task.suspend(key, {
      reasonCode: 'WHY',
      allowedActions: ['yes', 'no'],
      ...(expiresInMs !== undefined && { expiresInMs }),
    });
    let answer;
    try {
      answer = await asked;
    } catch (error) {
      if (error instanceof TaskFailure && error.code === 'SUSPENSION_EXPIRED') return;
      throw error;
    }
    if (entity.isDead) return;
    const { accepted: all, lost, everAccepted } = oracle.of(task.taskId);
    if (lost.length > 0 && everAccepted.has(answer.clientActionId)) return;
    const accepted = [...all].filter(([suspendId]) => suspendId.startsWith(`${key}-`)).map(([, id]) => id);
    if (!accepted.includes(answer.clientActionId))
      world.fault('the handler gets the accepted answer', `${answer.clientActionId} of ${key}, accepted was ${accepted.join() || 'none'}`);
  }

  async function rest({ signal }: Task, ms: number): Promise<void> {
    if (signal.aborted) throw signal.reason;
    await new Promise<void>((resolve, reject) => {
      const stop = (): void => {
        clock.clearTimeout(timer);
        reject(signal.reason as TaskStopped);
      };
      const timer = clock.setTimeout(() => {
        signal.removeEventListener('abort', stop);
        resolve();
      }, ms);
      signal.addEventListener('abort', stop, { once: true });
    });
  }

  /** Nothing else happens on the node meanwhile; what the handler does next comes before all that waited. */
  async function block(ms: number): Promise<void> {
    entity.frozenUntil = Math.max(entity.frozenUntil, world.time + ms);
    await new Promise<void>((resolve) => world.after(ms - 0.01, world.itself, () => entity.isDead || resolve()));
  }

  async function stream(task: Task, key: string, step: StreamStep): Promise<void> {
    const { kind, onRerun, closeAs, ends, restMs } = step;
    const { taskId, attempt } = task;
    const out = task.stream(key, { kind, flushMs: 20, ...(onRerun && { onRerun }), ...(closeAs && { closeAs }) });
    const about = { taskId, attempt, name: key, goesOn: onRerun !== undefined, closesAsMessage: closeAs !== undefined };
    const written: WrittenPart = oracle.lanes.begins(about);
    if (onRerun) oracle.lanes.goesOn(written, await out.text);
    for (const piece of piecesOf(`${key}/${attempt}/${world.steps}`, step)) {
      if (entity.isDead || task.signal.aborted) return;
      written.text += piece;
      await out.write(piece);
      if (restMs > 0) await rest(task, restMs);
    }
    if (ends) await out.end();
  }

  async function replace(task: Task, key: string, { values, size, restMs, ends, onRerun }: ValueStep): Promise<void> {
    const { taskId, attempt } = task;
    const out = task.stream(key, { kind: 'latest', ...(onRerun && { onRerun }) });
    const written = oracle.lanes.values.begins({ taskId, attempt, name: key, goesOn: onRerun !== undefined });
    const left = await out.value;
    if (left !== undefined) oracle.lanes.values.goesOn(written, JSON.stringify(left));
    const of = `${key}/${attempt}/${world.steps}`;
    for (let n = 0; n < values; n++) {
      if (entity.isDead || task.signal.aborted) return;
      const value = { of, n, pad: 'ß'.repeat(size) };
      written.values.push(JSON.stringify(value));
      void out.write(value);
      if (restMs > 0) await rest(task, restMs);
    }
    if (ends) await out.end();
  }

  async function run(task: Task): Promise<{ steps: number; attempt: number }> {
    const beside: Promise<void>[] = [];
    const { steps } = task.input as unknown as WorkPlan;
    for (let i = Number(task.saved ?? 0); i < steps.length; i += 1) {
      const step = steps[i];
      if (!step) break;
      if ('say' in step) {
        const message = step.say === 'kept' ? `kept ${i}` : `loose ${task.attempt} ${i}`;
        const said = task.message(message);
        if (step.say === 'kept') void task.save(i + 1);
        await acknowledged(task, said, message);
      } else if ('progress' in step) await task.progress(step.progress, { stage: `step ${i}` });
      else if ('rest' in step) {
        await rest(task, step.rest);
      } else if ('ask' in step) await ask(task, `q${i}`, step.ask.expiresInMs);
      else if ('block' in step) await block(step.block);
      else if ('crash' in step) {
        if (task.attempt > step.crash) continue;
        if (step.asks) {
          void task.suspend(`q${i}`, { reasonCode: 'WHY', allowedActions: ['yes', 'no'] }).catch(() => undefined);
          await rest(task, 100);
        }
        crash();
        await new Promise(() => undefined);
      } else if ('stream' in step || 'value' in step) {
        const streaming = 'value' in step ? replace(task, `value ${i}`, step.value) : stream(task, `part ${i}`, step.stream);
        if (('value' in step ? step.value : step.stream).isAwaited) await streaming;
        else beside.push(streaming);
        streaming.catch(() => undefined);
      } else if ('askBoth' in step) await Promise.all([ask(task, `q${i}a`, undefined), ask(task, `q${i}b`, 3_000)]);
      else throw new TaskFailure(step.fail, 'As planned.', { retryable: false });
    }
    await Promise.all(beside);
    return { steps: steps.length, attempt: task.attempt };
  }

  return async (task) => {
    const { facts, lost } = oracle.of(task.taskId);
    if (!facts.some(({ type }) => type === 'TASK_STARTED') && lost.length === 0)
      world.fault('a start is written before work begins', `${task.taskId} runs in ${name}`);
    const over = oracle.work.begins(task, name);
    try {
      return await run(task);
    } finally {
      over();
    }
  };
}
