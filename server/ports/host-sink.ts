/**
 * Calls what a host gave to be told by. It touches nobody: what it throws, and what a promise that it gives is rejected with, goes to `failed`.
 * Types allow an `async` function where nothing is waited for, and its rejection would end the process.
 */
export function tellHost(call: () => unknown, failed: (error: unknown) => void): void {
  try {
    const answer = call();
    if (isThenable(answer)) answer.then(undefined, failed);
  } catch (error) {
    failed(error);
  }
}

function isThenable(answer: unknown): answer is PromiseLike<unknown> {
  return typeof answer === 'object' && answer !== null && typeof (answer as Partial<PromiseLike<unknown>>).then === 'function';
}
