import type { Clock } from '../clock.ts';
import type { Observation } from '../observation/observation.ts';
import type { ClientParts, JoinedParts, PartPort, PartReading } from '../observation/part-port.ts';
import { noteObserved } from './observed-part.ts';
import { readPartOptions, type PartLimits, type TaskPartsOptions } from './options.ts';
import { TaskPartRecord } from './part-record.ts';
import { restoreParts, storeParts } from './stored-parts.ts';

/**
 * Takes the text of parts, and keeps it beside what is shown of a task: give it to a client as `parts`. Only then a server is asked for text. Throws with code
 * `INVALID_ARGUMENT` for an option that cannot be right.
 */
export function taskParts(options: TaskPartsOptions = {}): PartPort {
  const limits = readPartOptions(options);
  return { open: (clock) => new PartsOfClient(limits, clock) };
}

/** A record, and the observations that have it. */
interface SharedRecord {
  readonly context: object | undefined;
  readonly record: TaskPartRecord;
  readonly stale: Set<() => void>;
  timer: unknown;
}

class PartsOfClient implements ClientParts {
  readonly #limits: PartLimits;
  readonly #clock: Clock;
  readonly #shared = new Map<string, Set<SharedRecord>>();

  constructor(limits: PartLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  join(observation: Observation, context: object | undefined, onStale: () => void, read: PartReading): JoinedParts {
    const { taskId } = observation;
    const all = this.#shared.get(taskId) ?? new Set<SharedRecord>();
    this.#shared.set(taskId, all);
    const shared = [...all].find((one) => one.context === context) ?? this.#begin(all, context, read);
    const { record } = shared;
    shared.stale.add(onStale);
    noteObserved(observation, record);
    return {
      record,
      store: (eventId) => storeParts(record, eventId, this.#limits),
      restore(stored) {
        if (record.parts.length === 0) restoreParts(record, stored);
      },
      leave: () => {
        if (shared.timer !== undefined) onStale();
        shared.stale.delete(onStale);
        if (shared.stale.size > 0) return;
        this.#clock.clearTimeout(shared.timer);
        all.delete(shared);
        if (all.size === 0 && this.#shared.get(taskId) === all) this.#shared.delete(taskId);
      },
    };
  }

  #begin(all: Set<SharedRecord>, context: object | undefined, read: PartReading): SharedRecord {
    const record = new TaskPartRecord(this.#limits, {
      read,
      grew: () => {
        if (shared.stale.size === 0) return;
        shared.timer ??= this.#clock.setTimeout(() => {
          shared.timer = undefined;
          for (const tell of shared.stale) tell();
        }, this.#limits.storeMs);
      },
    });
    const shared: SharedRecord = { context, record, stale: new Set(), timer: undefined };
    all.add(shared);
    return shared;
  }
}
