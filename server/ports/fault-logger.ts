import { monotonicMs, type Clock } from './clock.ts';
import type { Logger } from './observability.ts';

/** How long one kind of fault is quiet after a line. */
export const FAULT_QUIET_MS = 60_000;
/** So many kinds are told apart; beyond, the one that was written longest ago is forgotten. */
export const FAULT_KINDS_MAX = 1000;

type Fields = Readonly<Record<string, unknown>>;

/**
 * Lets one line a minute pass for one kind of fault, however many tasks, viewers and requests it touches: a store that is away for a minute
 * fails everybody, and says nothing new with each. A line is one of a fault where it has an `error`; all others pass. Of one kind are those of
 * one message with errors of one name, `code` and origin. The next line that is written has the count of those that were not, as `unwritten`.
 */
export function faultLogger(logger: Logger, clock: Clock): Logger {
  const kinds = new Map<string, { readonly writtenAt: number; unwritten: number }>();

  function limited(level: 'warn' | 'error', message: string, fields: Fields | undefined): void {
    if (fields?.['error'] === undefined) return void logger[level](message, fields);
    const kind = `${level} ${message} ${originOf(fields['error'])}`;
    const known = kinds.get(kind);
    const now = monotonicMs(clock);
    if (known && now - known.writtenAt < FAULT_QUIET_MS) return void known.unwritten++;
    kinds.delete(kind);
    kinds.set(kind, { writtenAt: now, unwritten: 0 });
    const [oldest] = kinds.keys();
    if (kinds.size > FAULT_KINDS_MAX && oldest !== undefined) kinds.delete(oldest);
    logger[level](message, known && known.unwritten > 0 ? { ...fields, unwritten: known.unwritten } : fields);
  }

  return {
    ...logger,
    warn: (message, fields) => limited('warn', message, fields),
    error: (message, fields) => limited('error', message, fields),
  };
}

/** What an error is and where it was made; never its text, which may name a task. Whatever was thrown is looked at with care. */
function originOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  try {
    const { name, code, stack = '' } = error as NodeJS.ErrnoException;
    return `${name} ${String(code)} ${/^\s+at .*/m.exec(stack)?.[0] ?? ''}`;
  } catch {
    return 'Error';
  }
}
