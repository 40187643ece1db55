import { readFileSync } from 'node:fs';

/** Linux counts in hundredths of a second. */
const TICK_MS = 10;
/** Where `cutime` and `cstime` stand behind the name in brackets: proc_pid_stat(5). */
const CHILDREN_USER = 13;
const CHILDREN_SYSTEM = 14;

/**
 * Milliseconds of processor that the children of this process took which have ended, and their children's; NaN where the system does not
 * tell. Beside the time on the clock it says what a part does while it waits.
 */
export function childrenProcessorMs(): number {
  try {
    const fields = readFileSync('/proc/self/stat', 'utf8').replace(/^.*\)/su, '').trim().split(' ');
    return (Number(fields[CHILDREN_USER]) + Number(fields[CHILDREN_SYSTEM])) * TICK_MS;
  } catch {
    return Number.NaN;
  }
}
