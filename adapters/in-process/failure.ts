import { limits, type FactPayload } from '../../machines/wire/index.ts';
import { TaskFailure } from './handler.ts';

/** What people read of an error that was not made for them: its text may tell secrets. */
const NEUTRAL = 'The work failed.';
const REFUSALS: readonly unknown[] = ['REQUEST_VALIDATION_ERROR', 'PAYLOAD_TOO_LARGE'];

/** A report that was refused before it was sent; the mistake is the handler's. */
export class RefusedReport extends TaskFailure {}

/**
 * What the log says of what a handler threw: a {@link TaskFailure} in its own words, a report that was refused in ours, and of anything else
 * only that it happened. Never throws, whatever was thrown.
 */
export function handlerFailure(error: unknown): FactPayload<'TASK_FAILED'> {
  try {
    if (error instanceof TaskFailure) return { code: error.code, message: shown(error.message), retryable: error.retryable };
    if (isRefusal(error)) return { code: 'REPORT_REFUSED', message: shown(error.message), retryable: false };
  } catch {
    // A getter of what was thrown.
  }
  return { code: 'HANDLER_FAILED', message: NEUTRAL, retryable: false };
}

/** True for an error that the host has to look at: anything but a failure that was thrown to tell people. Never throws. */
export function isForHost(error: unknown): boolean {
  try {
    return !(error instanceof TaskFailure) || error instanceof RefusedReport;
  } catch {
    return true;
  }
}

/** True where the server took no report since it breaks a rule: nothing of it was written, and no second try mends it. */
export function isRefusal(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && REFUSALS.includes(error.code);
}

function shown(text: string): string {
  return text === '' ? NEUTRAL : text.slice(0, limits.noteCharactersMax);
}
