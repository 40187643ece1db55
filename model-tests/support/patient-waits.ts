import { vi } from 'vitest';
import { patience, WAIT_MS } from './patience.ts';

// By themselves these wait for a second, which a busy machine may need for anything; no option of Vitest changes that.
const { waitFor, waitUntil } = vi;
// Once a process: files share it, and patience on top of patience soon is longer than a timer can be.
const done = Symbol.for('taskbridge.patient-waits');
if (!(done in vi)) {
  vi.waitFor = (ask, options) => waitFor(ask, patient(options));
  vi.waitUntil = (ask, options) => waitUntil(ask, patient(options));
  Object.assign(vi, { [done]: true });
}

type Options = Parameters<typeof waitFor>[1];

function patient(options: Options): Exclude<Options, number> {
  const { timeout = 0, ...rest } = typeof options === 'number' ? { timeout: options } : (options ?? {});
  return { ...rest, timeout: Math.max(WAIT_MS, patience(timeout)) };
}
