import type { Clock } from 'taskbridge/client/node';

/** A clock whose timers never fire early, and as late and in whatever order the test likes, as those of a busy or sleeping device do. */
export interface PatientClock extends Clock {
  /** How long each armed timer was set to wait. */
  readonly armed: readonly number[];
  /** Fires the oldest timer that was set to one of these times; throws where there is none. */
  fire(wanted: readonly number[]): void;
}

export function patientClock(): PatientClock {
  const timers = new Map<number, { readonly run: () => void; readonly ms: number; readonly due: number }>();
  let now = 1_000_000;
  let made = 0;
  return {
    get armed() {
      return [...timers.values()].map(({ ms }) => ms);
    },
    now: () => now,
    setTimeout(run, ms) {
      made += 1;
      timers.set(made, { run, ms, due: now + ms });
      return made;
    },
    clearTimeout: (id) => void timers.delete(id as number),
    fire(wanted) {
      for (const [id, { run, ms, due }] of timers) {
        if (!wanted.includes(ms)) continue;
        timers.delete(id);
        now = Math.max(now, due);
        return run();
      }
      throw new Error(`No timer of ${String(wanted)} ms is armed, only ${String([...timers.values()].map(({ ms }) => ms))}.`);
    },
  };
}
