import { TaskBridgeClientError } from '../errors.ts';
import { isPending, moveEntry, readEntries, startOf, type EntryNote, type OutboxEntry } from './entry.ts';
import type { EntryEvent } from './entry.machine.ts';
import type { OutboxSettings } from './options.ts';
import type { OutboxChange, StoredEntry } from './store.ts';

/** What is in the store, as far as this tab knows, and every change to it. */
export interface OutboxRepository {
  /** By place. The same array until something changed. */
  readonly entries: readonly OutboxEntry[];
  /** Reads the store again. */
  refresh(): Promise<void>;
  /** Changes the store in one step; rejects with code `OUTBOX_STORE_FAILED`, or with what `decide` throws. Tells other tabs. */
  change(decide: (ours: readonly OutboxEntry[], stored: readonly StoredEntry[]) => OutboxChange): Promise<void>;
  /** Moves one entry, where its chart takes that. Resolves with the entry as it then is; undefined where it does not, or is gone. */
  move(id: string, event: EntryEvent, note?: EntryNote): Promise<OutboxEntry | undefined>;
  close(): void;
}

/** Who hears of changes. */
export interface OutboxRepositoryDeps {
  /** Called whenever the entries may be others. */
  onChange(): void;
  /** Called once the store has taken a move, with the entry as it was before; the entries are others after it. */
  onMoved(before: OutboxEntry, event: EntryEvent): void;
}

/** Opens the store of an outbox. */
export function createOutboxRepository(
  { store, channels, limits }: OutboxSettings,
  { onChange, onMoved }: OutboxRepositoryDeps,
): OutboxRepository {
  let entries: readonly OutboxEntry[] = [];
  let lastRead = 0;
  let lastShown = 0;
  let isClosed = false;
  // What changed is not said: a message may come before, after or without what it says.
  const channel = channels?.open(`taskbridge.outbox.${store.name}`, () => void refresh().catch(() => undefined));

  // Reads may overtake each other: what was read earlier never hides what was read later.
  function publish(readNumber: number, next: readonly OutboxEntry[]): void {
    if (readNumber < lastShown) return;
    lastShown = readNumber;
    entries = next;
    if (!isClosed) onChange();
  }

  async function refresh(): Promise<void> {
    const readNumber = ++lastRead;
    const stored = await guarded(() => store.read());
    publish(readNumber, readEntries(stored));
  }

  async function change(decide: Parameters<OutboxRepository['change']>[0], onTaken?: () => void): Promise<void> {
    let refusal: Error | undefined;
    let after: readonly StoredEntry[] = [];
    let readNumber = 0;
    await guarded(
      () =>
        store.change((stored) => {
          readNumber = ++lastRead;
          try {
            const wanted = decide(readEntries(stored), stored);
            after = applied(stored, wanted);
            return wanted;
          } catch (error) {
            // What `decide` throws is ours.
            refusal = error as Error;
            throw error;
          }
        }),
      () => refusal,
    );
    onTaken?.();
    publish(readNumber, readEntries(after));
    if (!isClosed) channel?.post('changed');
  }

  return {
    get entries() {
      return entries;
    },
    refresh,
    change: (decide) => change(decide),
    async move(id, event, note) {
      let entry: OutboxEntry | undefined;
      let moved: OutboxEntry | undefined;
      await change(
        (ours) => {
          entry = ours.find((one) => one.id === id);
          moved = entry && moveEntry(entry, event, note);
          if (!moved) return {};
          const next = ours.map((one) => (one.id === id && moved ? moved : one));
          return { keep: [moved], remove: overdue(next, limits.outcomesMax) };
        },
        () => void (entry && moved && onMoved(entry, event)),
      );
      return moved;
    },
    close() {
      isClosed = true;
      channel?.close();
    },
  };
}

function applied(stored: readonly StoredEntry[], { keep = [], remove = [] }: OutboxChange): readonly StoredEntry[] {
  const gone = new Set([...remove, ...keep.map(({ id }) => id)]);
  return [...stored.filter((entry) => !gone.has(entry?.id)), ...keep.filter(({ id }) => !remove.includes(id))];
}

/** The ids of outcomes that nobody can be expected to ask for: the oldest above the limit. A start that others wait for is not among them. */
function overdue(entries: readonly OutboxEntry[], outcomesMax: number): readonly string[] {
  const settled = dismissible(entries);
  return settled.slice(0, Math.max(0, settled.length - outcomesMax)).map(({ id }) => id);
}

/** The entries that are settled and that no pending one refers to. */
export function dismissible(entries: readonly OutboxEntry[]): readonly OutboxEntry[] {
  const needed = new Set(entries.filter(isPending).map((entry) => startOf(entries, entry)?.id));
  return entries.filter((entry) => !isPending(entry) && !needed.has(entry.id));
}

async function guarded<T>(work: () => Promise<T>, refusalOf: () => Error | undefined = () => undefined): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const refusal = refusalOf();
    if (refusal !== undefined) throw refusal;
    const reason = String((cause as Error | undefined)?.message ?? cause);
    throw new TaskBridgeClientError('OUTBOX_STORE_FAILED', `The outbox could not be read or written: ${reason}.`, { cause });
  }
}
