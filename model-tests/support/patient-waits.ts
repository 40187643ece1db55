import { vi } from 'vitest';
import { patience, WAIT_MS } from './patience.ts';

// By themselves these wait for a second, which a busy machine may need for anything; no option of Vitest changes that.
const { waitFor, waitUntil } = vi;
vi.waitFor = (ask, options) => waitFor(ask, patient(options));
vi.waitUntil = (ask, options) => waitUntil(ask, patient(options));

type Options = Parameters<typeof waitFor>[1];

function patient(options: Options): Exclude<Options, number> {
  const { timeout = 0, ...rest } = typeof options === 'number' ? { timeout: options } : (options ?? {});
  return { ...rest, timeout: Math.max(WAIT_MS, patience(timeout)) };
}
