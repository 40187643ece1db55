import { parseExecutionRecord } from '../attempt/execution-record.ts';
import type { Clock } from '../ports/clock.ts';
import { monotonicMs } from '../ports/clock.ts';
import type { Logger } from '../ports/observability.ts';
import type { Glance, Name, OwnerRegistry, Shares } from '../ports/owners.ts';
import type { StoreClock } from '../task/store-clock.ts';
import type { ShareBook } from './share-book.ts';
import { added, noShares, sharesOf } from './shares-of.ts';

/** What counts are found again with. */
export interface RecountDeps {
  readonly store: OwnerRegistry;
  readonly book: ShareBook;
  readonly clock: Clock;
  readonly time: StoreClock;
  readonly logger: Logger;
}

/** Names that are looked at at once. */
const PAGE = 100;
/** How often an owner is counted whose counts change meanwhile. */
const TRIES_MAX = 3;
/** So old is a name of which no task comes any more. */
const NAMELESS_MS = 10 * 60 * 1000;
/** How often one owner is counted who is refused something, at most. */
const AGAIN_MS = 60_000;
/** How often everybody is counted. */
const ROUND_MS = 24 * 60 * 60 * 1000;
/** Owners of one step of a round. */
const STEP = 10;
/** Owners who are counted within a minute because they were refused something; others wait for the next. */
const TRIED_MAX = 100;

/**
 * Counts what an owner has, task by task, and forgets names without a task. False where his counts changed meanwhile, each time that it was
 * tried: then they may be off, for a change may have been seen before the store was told of it, and be told of all the same.
 */
export async function recount(owner: string, { store, book, time }: Pick<RecountDeps, 'store' | 'book' | 'time'>): Promise<boolean> {
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    await book.flushed();
    const observer = book.observe(owner);
    try {
      const { version } = await store.shares(owner);
      const shares = await countTasks(owner, store, time.now());
      if (!(await store.setShares(owner, shares, version))) continue;
      await book.ask([owner]);
      if (observer.isStill) return true;
    } finally {
      observer.end();
    }
  }
  return false;
}

async function countTasks(owner: string, store: OwnerRegistry, now: number): Promise<Shares> {
  let sum = noShares;
  let after: Name | undefined;
  for (;;) {
    const names = await store.names(owner, PAGE, after);
    if (names.length === 0) return sum;
    const glances = await store.glance(
      names.map(({ requestKey }) => requestKey),
      ['ledger'],
    );
    for (const [i, name] of names.entries()) {
      const glance = glances[i];
      if (glance) sum = added(sum, sharesIn(glance));
      else if (name.at < now - NAMELESS_MS) await store.forget(owner, name);
      after = name;
    }
  }
}

/** Of a task that a newer node wrote it is known only that it is there. */
function sharesIn({ fields: { ledger } }: Glance): Partial<Shares> {
  try {
    return ledger === undefined ? { tasks: 1 } : sharesOf(parseExecutionRecord({ ledger, sources: '{}' }));
  } catch {
    return { tasks: 1 };
  }
}

/** Finds out again what owners have: of who was refused something, of whose counts are in doubt, and once a day of everybody. */
export class Recounts {
  readonly #deps: RecountDeps;
  readonly #asked = new Set<string>();
  /** When an owner was tried to be counted here, by this process's own time. */
  readonly #triedAt = new Map<string, number>();
  #round: { after: string | undefined } | undefined;
  #roundAt = Number.NEGATIVE_INFINITY;
  #isFailing = false;
  #closed = false;
  #step: Promise<void> | undefined;

  constructor(deps: RecountDeps) {
    this.#deps = deps;
  }

  /** Counts an owner soon, unless somebody did within a minute. */
  request(owner: string): void {
    const now = monotonicMs(this.#deps.clock);
    for (const [tried, at] of this.#triedAt) if (now - at >= AGAIN_MS) this.#triedAt.delete(tried);
    if (this.#triedAt.has(owner) || this.#triedAt.size >= TRIED_MAX) return;
    this.#triedAt.set(owner, now);
    this.#asked.add(owner);
    this.step();
  }

  /** Goes on by a few owners, beside whatever else goes on. */
  step(): void {
    if (this.#closed) return;
    this.#step ??= this.#run().finally(() => (this.#step = undefined));
  }

  /** Ends what goes on, and resolves when it has. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#step;
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    try {
      for (const owner of [...this.#asked]) {
        await this.#count(owner, AGAIN_MS);
        this.#asked.delete(owner);
      }
      await this.#countDoubtful();
      await this.#goRound();
      this.#isFailing = false;
    } catch (error) {
      if (!this.#isFailing && !this.#closed)
        this.#deps.logger.warn('What owners have could not be counted again; it is tried again.', { error });
      this.#isFailing = true;
    }
  }

  async #goRound(): Promise<void> {
    const { store, clock } = this.#deps;
    if (!this.#round && monotonicMs(clock) - this.#roundAt < ROUND_MS) return;
    this.#round ??= { after: undefined };
    const { owners, next } = await store.owners(STEP, this.#round.after);
    for (const owner of owners) await this.#count(owner, ROUND_MS);
    this.#round = next === undefined ? undefined : { after: next };
    if (!this.#round) this.#roundAt = monotonicMs(clock);
  }

  async #countDoubtful(): Promise<void> {
    const { book } = this.#deps;
    const uncertain = new Set(book.takeDoubtful(STEP));
    try {
      for (const owner of [...uncertain]) if (await recount(owner, this.#deps)) uncertain.delete(owner);
    } finally {
      for (const owner of uncertain) book.doubt(owner);
    }
  }

  /** Counts an owner whom nobody has counted for that long. */
  async #count(owner: string, ageMs: number): Promise<void> {
    const { store, time } = this.#deps;
    if (this.#closed || (await store.shares(owner)).countedAt > time.now() - ageMs) return;
    if (!(await recount(owner, this.#deps))) this.#deps.book.doubt(owner);
  }
}
