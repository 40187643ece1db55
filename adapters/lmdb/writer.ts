/** What a write makes of what it found. */
export interface WriteDecision<T> {
  readonly result: T;
  /** Writes; absent where there is nothing to write. */
  readonly change?: () => void;
}

/** Looks at the store as the writes before it leave it, and writes nothing yet. A throw refuses this write alone. */
export type Write<T> = () => WriteDecision<T>;

/** Puts writes on the disk, those that wait together in one transaction: one flush for all of them. */
export interface Writer {
  /** Resolves when the change is safe on the disk. Rejects where nothing was written, or where nobody can say. */
  write<T>(write: Write<T>): Promise<T>;
  /** Resolves when nothing waits any more. */
  drained(): Promise<void>;
}

interface Waiting {
  readonly write: Write<unknown>;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
  /** What it is answered, once its group is safe. */
  outcome: { readonly result: unknown } | { readonly error: unknown } | undefined;
}

/** How many writes share a flush at most: keeps the event loop free while a group is written. */
const GROUP_WRITES_MAX = 256;
/** How many are answered in one turn of the event loop: whoever waited decides in it what to write next. */
const ANSWERS_MAX = 16;

/**
 * Makes a writer.
 *
 * @param transact runs its argument in a transaction that a throw undoes, and resolves when that is safe on the disk.
 */
export function createWriter(transact: (group: () => void) => Promise<void>): Writer {
  let waiting: Waiting[] = [];
  let working: Promise<void> | undefined;

  async function work(): Promise<void> {
    // What the rest of this turn asks for belongs to the first group.
    await Promise.resolve();
    while (waiting.length > 0) {
      const group = waiting.slice(0, GROUP_WRITES_MAX);
      waiting = waiting.slice(GROUP_WRITES_MAX);
      await writeGroup(group, transact);
    }
    working = undefined;
  }

  return {
    write<T>(write: Write<T>): Promise<T> {
      return new Promise<T>((resolve, reject) => {
        // `resolve` is called with what this very write gave.
        waiting.push({ write, resolve: resolve as (result: unknown) => void, reject, outcome: undefined });
        working ??= work();
      });
    },
    async drained() {
      await working;
    },
  };
}

async function writeGroup(group: readonly Waiting[], transact: (group: () => void) => Promise<void>): Promise<void> {
  try {
    await transact(() => {
      for (const each of group) each.outcome = writeOne(each.write);
    });
  } catch (error) {
    for (const each of group) each.outcome = { error };
  }
  for (let at = 0; at < group.length; at += 1) {
    if (at > 0 && at % ANSWERS_MAX === 0) await new Promise((resolve) => setImmediate(resolve));
    answer(group[at]);
  }
}

function answer(one: Waiting | undefined): void {
  if (!one?.outcome) return;
  if ('error' in one.outcome) one.reject(one.outcome.error);
  else one.resolve(one.outcome.result);
}

/** What it throws while it looks refuses this write alone; what it throws while it writes undoes its group. */
function writeOne(write: Write<unknown>): Waiting['outcome'] {
  let decision: WriteDecision<unknown>;
  try {
    decision = write();
  } catch (error) {
    return { error };
  }
  decision.change?.();
  return decision;
}
