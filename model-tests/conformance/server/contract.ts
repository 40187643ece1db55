import type { Json, JsonObject } from 'taskbridge/wire';

/** What the work of the contract needs of its task; the tasks of `taskbridge/adapters/in-process` have it. */
export interface ContractTask {
  readonly input: JsonObject;
  readonly signal: AbortSignal;
  progress(progress: number, about?: { readonly stage?: string }): Promise<void>;
  /** Absent where work writes no parts. */
  stream?(
    name: string,
    options: { readonly kind: 'text' },
  ): { write(text: string): PromiseLike<void> | undefined; end(): PromiseLike<void> };
  /** Absent where work makes no files. */
  attach?(name: string, content: string, contentType: string): Promise<void>;
  suspend(
    key: string,
    question: { readonly reasonCode: string; readonly allowedActions: readonly string[]; readonly expiresInMs?: number },
  ): Promise<{ readonly actionType: string; readonly payload: JsonObject }>;
}

/** What the work needs of its executor. */
export interface ContractDeps {
  /** An error that ends the task with this code. */
  failure(code: string, message: string, retryable: boolean): Error;
  /** The code of an error that `suspend` rejected with. */
  codeOf(error: unknown): unknown;
}

/**
 * The tasks that a server under test has to run, for executors in JavaScript; the README says them in words. Reports are not awaited one by
 * one: they are to come as fast as they can.
 */
export function contractWork({ failure, codeOf }: ContractDeps): Readonly<Record<string, (task: ContractTask) => Promise<Json>>> {
  return {
    'conformance.echo': async ({ input }) => ({ echo: input }),
    'conformance.steps': async (task) => {
      const { count } = task.input as { count: number };
      await steps(task, 'step', count);
      return { count };
    },
    'conformance.ask': async (task) => {
      const { questions = 1, steps: count = 0, expiresInMs } = task.input as { questions?: number; steps?: number; expiresInMs?: number };
      const answers: Json[] = [];
      for (let number = 1; number <= questions; number += 1) {
        answers.push(await answerTo(task, number, expiresInMs));
        await steps(task, `answer ${number}, step`, count);
      }
      return { answers };
    },
    'conformance.wait': async (task) => {
      await task.progress(1);
      return new Promise<never>((_, reject) => {
        const stop = (): void => reject(task.signal.reason as Error);
        if (task.signal.aborted) stop();
        else task.signal.addEventListener('abort', stop, { once: true });
      });
    },
    'conformance.attach': async (task) => {
      await task.attach?.('rows.csv', 'x,y', 'text/csv');
      return {};
    },
    'conformance.write': async (task) => {
      const { pieces, rest } = task.input as { pieces: readonly string[]; rest: string };
      const part = task.stream?.('answer', { kind: 'text' });
      for (const piece of pieces) await part?.write(piece);
      await answerTo(task, 1, undefined);
      await part?.write(rest);
      await part?.end();
      return {};
    },
    'conformance.fail': async ({ input }) => {
      const { code, message, retryable } = input as { code: string; message: string; retryable: boolean };
      throw failure(code, message, retryable);
    },
  };

  async function answerTo(task: ContractTask, number: number, expiresInMs: number | undefined): Promise<Json> {
    const question = { reasonCode: `QUESTION_${number}`, allowedActions: ['yes', 'no'] };
    try {
      const { actionType, payload } = await task.suspend(
        `question-${number}`,
        expiresInMs === undefined ? question : { ...question, expiresInMs },
      );
      return { actionType, payload };
    } catch (error) {
      if (codeOf(error) !== 'SUSPENSION_EXPIRED') throw error;
      return 'EXPIRED';
    }
  }
}

async function steps(task: ContractTask, stage: string, count: number): Promise<void> {
  const reports: Promise<void>[] = [];
  for (let number = 1; number <= count; number += 1) {
    reports.push(task.progress((100 * number) / count, { stage: `${stage} ${number}` }));
    // No more in flight than an executor's mailbox likes.
    if (reports.length === 200) await Promise.all(reports.splice(0));
  }
  await Promise.all(reports);
}
