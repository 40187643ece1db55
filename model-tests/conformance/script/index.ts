import type { Json, JsonObject } from 'taskbridge/wire';

// Played by handlers of every executor, in Temporal's sandbox too: nothing here may need Node.

/** One step of scripted work. */
export type ScriptStep =
  | { readonly do: 'progress'; readonly progress: number; readonly stage?: string }
  /** `charactersMax`: cut there, as careless work does. */
  | { readonly do: 'message'; readonly message: string; readonly charactersMax?: number }
  /** Asks all at once and waits for all; an answer's payload, or the code of its end, goes into the result. */
  | { readonly do: 'ask'; readonly keys: readonly string[]; readonly expiresInMs?: number }
  /** As `ask`, and lets an expiry through. */
  | { readonly do: 'insist'; readonly keys: readonly string[]; readonly expiresInMs?: number }
  | { readonly do: 'fail'; readonly code: string; readonly message: string; readonly retryable: boolean }
  | { readonly do: 'throw'; readonly message: string }
  /** Waits until it is told to stop. */
  | { readonly do: 'wait' };

/** What scripted work needs of its task; the tasks of all executors have it. */
export interface ScriptTask {
  readonly input: JsonObject;
  progress(progress: number, about?: { readonly stage?: string }): Promise<void>;
  message(message: string): Promise<void>;
  suspend(
    key: string,
    question: { readonly reasonCode: string; readonly allowedActions: readonly string[]; readonly expiresInMs?: number },
  ): Promise<{ readonly payload: JsonObject }>;
}

/** What differs between executors. */
export interface ScriptDeps {
  failure(code: string, message: string, retryable: boolean): Error;
  codeOf(error: unknown): unknown;
  untilStopped(): Promise<never>;
}

/** Plays the steps of a task's input. */
export async function play(task: ScriptTask, tools: ScriptDeps): Promise<Json> {
  const answers: Record<string, Json> = {};
  // The suite wrote it.
  for (const step of (task.input as unknown as { readonly steps: readonly ScriptStep[] }).steps) {
    switch (step.do) {
      case 'progress':
        await task.progress(step.progress, step.stage === undefined ? {} : { stage: step.stage });
        break;
      case 'message':
        await task.message(step.message.slice(0, step.charactersMax));
        break;
      case 'ask':
      case 'insist':
        await Promise.all(step.keys.map(async (key) => (answers[key] = await ask(task, key, step, tools))));
        break;
      case 'fail':
        throw tools.failure(step.code, step.message, step.retryable);
      case 'throw':
        throw new Error(step.message);
      case 'wait':
        await tools.untilStopped();
    }
  }
  return { answers };
}

async function ask(task: ScriptTask, key: string, step: Extract<ScriptStep, { do: 'ask' | 'insist' }>, tools: ScriptDeps): Promise<Json> {
  const { expiresInMs } = step;
  const question = { reasonCode: 'SCRIPTED', allowedActions: ['ok', 'no'], ...(expiresInMs !== undefined && { expiresInMs }) };
  try {
    return (await task.suspend(key, question)).payload;
  } catch (error) {
    if (step.do === 'ask' && tools.codeOf(error) === 'SUSPENSION_EXPIRED') return 'SUSPENSION_EXPIRED';
    throw error;
  }
}
