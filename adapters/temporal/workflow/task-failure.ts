import { ApplicationFailure } from '@temporalio/workflow';
import type { FailureDetail } from '../failure.ts';

/** A failure that ends the task with a code of the workflow's own; any other throw becomes `HANDLER_FAILED`. `retryable` defaults to false. */
export function taskFailure(code: string, message: string, options: { readonly retryable?: boolean } = {}): ApplicationFailure {
  const detail: FailureDetail = { taskbridge: { retryable: options.retryable ?? false } };
  return ApplicationFailure.create({ type: code, message, nonRetryable: true, details: [detail] });
}
