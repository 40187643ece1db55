import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const source = fileURLToPath(new URL('wrong-date.c', import.meta.url));
const folder = fileURLToPath(new URL('../../.data/partitions/', import.meta.url));

/** Sets the date of this process off, by what is given last; its monotonic time stays as it is. */
export function setDateOff(ms: number): void {
  offMs = ms;
  Date.now = () => now() + offMs;
}
const now = Date.now.bind(Date);
let offMs = 0;

/** The variables of environment that set the date of another program off; undefined where nothing here compiles C. */
export function wrongDateEnv(): ((ms: number) => Readonly<Record<string, string>>) | undefined {
  const library = `${folder}wrong-date.so`;
  try {
    mkdirSync(folder, { recursive: true });
    execFileSync('cc', ['-shared', '-fPIC', '-O2', '-o', library, source], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  return (ms) => ({ LD_PRELOAD: library, WRONG_DATE_MS: String(ms) });
}
