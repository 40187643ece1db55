import type { Clock } from '../ports/clock.ts';

/** Gives a promise a limit: rejects when it has not settled in time. What it stands for may still happen. */
export async function withTimeLimit<T>({ clock }: { readonly clock: Clock }, ms: number, promise: Promise<T>): Promise<T> {
  let timer: unknown;
  const limit = new Promise<never>((_, reject) => {
    timer = clock.setTimeout(() => reject(noAnswerWithin(ms)), ms);
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clock.clearTimeout(timer);
  }
}

/** What a promise rejects with that has not settled in time. */
export function noAnswerWithin(ms: number): Error {
  return new Error(`No answer within ${ms} milliseconds.`);
}
