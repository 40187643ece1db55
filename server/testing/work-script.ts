import { TaskFailure, type Handler, type Question, type Task } from '../../adapters/in-process/index.ts';
import type { FactPayload, Json } from '../../machines/wire/index.ts';
import type { AcceptedAction, Clock } from '../index.ts';

/** One thing that scripted work does. */
export type WorkStep =
  | { readonly progress: number; readonly stage?: string; readonly message?: string }
  | { readonly message: string; readonly level?: FactPayload<'TASK_MESSAGE'>['level'] }
  /** Asks, and goes on with the answer. */
  | { readonly ask: string; readonly question: Question }
  | { readonly save: Json }
  /** Does nothing for that long, by the clock of the test. */
  | { readonly waitMs: number };

/** What work does in a test: the same in every run. */
export interface WorkScript {
  /** One after the other. Defaults to a progress of 1 and one of 2. */
  readonly steps?: readonly WorkStep[];
  /** What the task completes with, or a function of the answers by their keys. Defaults to `{}`. */
  readonly result?: Json | ((answers: Readonly<Record<string, AcceptedAction>>) => Json);
  /** Fails after so many steps instead, 0 before the first. Defaults to never. */
  readonly failAfter?: number;
  /** What it fails with then. Defaults to code `SCRIPTED_FAILURE`, not to be tried again. */
  readonly failure?: { readonly code?: string; readonly message?: string; readonly retryable?: boolean };
}

const defaultSteps: readonly WorkStep[] = [{ progress: 1 }, { progress: 2 }];

/** The handler that plays a script. Throws a `RangeError` for a `failAfter` that no run comes to. */
export function scriptedHandler(script: WorkScript, clock: Clock): Handler {
  const { steps = defaultSteps, result = {}, failAfter, failure = {} } = script;
  if (failAfter !== undefined && !(Number.isInteger(failAfter) && failAfter >= 0 && failAfter <= steps.length))
    throw new RangeError(`failAfter (${failAfter}) must be a whole number from 0 to ${steps.length}, the number of the steps.`);
  return async (task) => {
    const answers: Record<string, AcceptedAction> = Object.create(null) as Record<string, AcceptedAction>;
    for (const step of steps.slice(0, failAfter)) {
      const answer = await play(step, task, clock);
      if (answer && 'ask' in step) answers[step.ask] = answer;
    }
    if (failAfter === undefined) return typeof result === 'function' ? result(answers) : result;
    const { code = 'SCRIPTED_FAILURE', message = `The script fails after ${failAfter} steps.`, retryable = false } = failure;
    throw new TaskFailure(code, message, { retryable });
  };
}

async function play(step: WorkStep, task: Task, clock: Clock): Promise<AcceptedAction | void> {
  if ('progress' in step) {
    const { progress, ...about } = step;
    return task.progress(progress, about);
  }
  if ('message' in step) return task.message(step.message, step.level);
  if ('ask' in step) return task.suspend(step.ask, step.question);
  if ('save' in step) return task.save(step.save);
  return new Promise((resolve) => clock.setTimeout(resolve, step.waitMs));
}
