import type { NameBackfill, OwnedName } from '../ports/backfill.ts';
import { monotonicMs, type Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/observability.ts';
import type { Store } from '../ports/store.ts';
import type { StoreClock } from '../task/store-clock.ts';
import { aboutIn } from './task-read.ts';

/** What tasks without a name are looked for with. */
export interface BackfillDeps {
  readonly store: Pick<Store, 'backfill' | 'exclusive' | 'glance' | 'count'>;
  readonly nodeId: string;
  readonly clock: Clock;
  readonly time: StoreClock;
  readonly logger: Logger;
  /** The counts of this owner are off: he has more than they say. */
  sharesInDoubt(owner: string): void;
}

/** The version of {@link Progress} as it is stored. */
export const BACKFILL_VERSION = 1;

/** How far a pass through all tasks came; kept in the store, so that any node goes on from there. */
interface Progress {
  readonly v: number;
  /** The node that goes through them. */
  readonly by: string;
  /** When it wrote this, in milliseconds of the store's clock. */
  readonly at: number;
  /** Where to go on; null where all were passed. */
  readonly after: string | null;
  /** Tasks that were looked at in this pass, and those of them that got their name. */
  readonly looked: number;
  readonly named: number;
}

/** Tasks that are looked at at once, and the pause after them: others have their turn, in the store too. */
const [PAGE, PAUSE_MS] = [100, 20];
/** Pages after which progress is kept: so many are looked at twice after a crash. */
const KEPT_AFTER = 10;
/** A pass is somebody else's to go on with when nothing was kept for so long. */
const LEFT_MS = 30_000;
/** The next pass, where one found something: an older release may be at work still. */
const AGAIN_MS = 60_000;
/** The next pass, where one found nothing. */
const ROUND_MS = 24 * 60 * 60 * 1000;
/** The next look after one that failed. */
const FAILED_MS = 10_000;
/** How often progress is logged. */
const LOGGED_MS = 60_000;
/** Owners whose counts are found again after a pass; others are found by the round of each day. */
const OWNERS_MAX = 10_000;

/**
 * Brings tasks that were written before there were names into the lists of their owners: page by page, by one node at a time, from where the last one
 * stopped. Each process begins with a pass, unless one has ended within the minute. After one that found something comes another one a minute later, else one
 * a day. A task that has its name is left as it is, so nothing is done twice, whoever else does it.
 */
export class Backfill {
  readonly #deps: BackfillDeps;
  readonly #owners = new Set<string>();
  #nextAt = Number.NEGATIVE_INFINITY;
  #hasPassed = false;
  #isFailing = false;
  #closed = false;
  #run: Promise<void> | undefined;
  #pause: { readonly timer: unknown; readonly end: () => void } | undefined;

  constructor(deps: BackfillDeps) {
    this.#deps = deps;
  }

  /** Goes on beside whatever else goes on, where it is time to. */
  step(): void {
    const { store, clock } = this.#deps;
    if (this.#closed || !store.backfill || monotonicMs(clock) < this.#nextAt) return;
    this.#run ??= this.#look(store.backfill).finally(() => (this.#run = undefined));
  }

  /** Resolves when what goes on has ended by itself. */
  async settled(): Promise<void> {
    await this.#run;
  }

  /** Ends what goes on, and resolves when it has. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#deps.clock.clearTimeout(this.#pause?.timer);
    this.#pause?.end();
    await this.#run;
  }

  /** Never rejects. */
  async #look(backfill: NameBackfill): Promise<void> {
    try {
      const progress = this.#taken(await backfill.kept());
      if (progress) await this.#pass(backfill, progress);
      this.#isFailing = false;
    } catch (error) {
      this.#rest(FAILED_MS);
      if (!this.#isFailing && !this.#closed)
        this.#deps.logger.warn('Tasks of an older release could not be brought into the lists of their owners; it is tried again.', {
          error,
        });
      this.#isFailing = true;
    }
  }

  /** What this node has to go on with; undefined where there is nothing to do now. */
  #taken(kept: string | undefined): Progress | undefined {
    const { nodeId, time } = this.#deps;
    const begun: Progress = { v: BACKFILL_VERSION, by: nodeId, at: time.now(), after: null, looked: 0, named: 0 };
    const last = kept === undefined ? undefined : parseProgress(kept);
    if (!last) return begun;
    const restMs = last.v > BACKFILL_VERSION ? ROUND_MS : last.at + this.#pauseAfter(last) - time.now();
    if (restMs > 0) return void this.#rest(restMs);
    return last.after === null ? begun : { ...last, by: nodeId };
  }

  async #pass(backfill: NameBackfill, from: Progress): Promise<void> {
    const { clock, time, logger } = this.#deps;
    let progress = from;
    let loggedAt = monotonicMs(clock);
    for (let pages = 1; !this.#closed; pages += 1) {
      const { requestKeys, next } = await backfill.requests(PAGE, progress.after ?? undefined);
      const named = await this.#name(backfill, requestKeys);
      const { looked } = progress;
      progress = { ...progress, at: time.now(), after: next ?? null, looked: looked + requestKeys.length, named: progress.named + named };
      if (next === undefined) return this.#passed(backfill, progress);
      if (pages % KEPT_AFTER === 1 && !(await this.#kept(backfill, progress))) return;
      if (monotonicMs(clock) - loggedAt >= LOGGED_MS) {
        loggedAt = monotonicMs(clock);
        logger.info?.('Tasks of an older release are being brought into the lists of their owners.', countsOf(progress));
      }
      await this.#waited(PAUSE_MS);
    }
    if (progress.after !== null) await backfill.keep(JSON.stringify(progress));
  }

  /** False, and nothing kept, where another node goes through the same: of two that begin at once the first to look stops. */
  async #kept(backfill: NameBackfill, progress: Progress): Promise<boolean> {
    const text = await backfill.kept();
    if (text !== undefined && this.#taken(text) === undefined) return false;
    await backfill.keep(JSON.stringify(progress));
    return true;
  }

  async #passed(backfill: NameBackfill, progress: Progress): Promise<void> {
    await backfill.keep(JSON.stringify(progress));
    for (const owner of this.#owners) this.#deps.sharesInDoubt(owner);
    this.#owners.clear();
    this.#hasPassed = true;
    this.#rest(this.#pauseAfter(progress));
    if (progress.named > 0)
      this.#deps.logger.info?.('Tasks of an older release were brought into the lists of their owners.', countsOf(progress));
  }

  /** Gives each task its name that has none; says how many. */
  async #name(backfill: NameBackfill, requestKeys: readonly string[]): Promise<number> {
    if (requestKeys.length === 0) return 0;
    const { store } = this.#deps;
    const names = (await store.glance(requestKeys, ['about'])).flatMap((glance): OwnedName[] => {
      const about = glance && aboutIn(glance);
      return about ? [{ owner: about.owner, requestKey: about.requestKey, at: about.createdAt }] : [];
    });
    if (names.length === 0) return 0;
    const isMissing = await backfill.missing(names);
    const lacking = names.filter((_, i) => isMissing[i]);
    if (lacking.length > 0) await store.count(lacking.map(({ owner, ...name }) => ({ owner, by: {}, name })));
    for (const { owner } of lacking) if (this.#owners.size < OWNERS_MAX) this.#owners.add(owner);
    return lacking.length;
  }

  #pauseAfter({ by, after, named }: Progress): number {
    const { nodeId, store } = this.#deps;
    if (after !== null) return by === nodeId || store.exclusive ? 0 : LEFT_MS;
    // Between two processes of today there may have been one that gave no names.
    if (!this.#hasPassed) return store.exclusive ? 0 : AGAIN_MS;
    return named > 0 ? AGAIN_MS : ROUND_MS;
  }

  #rest(ms: number): void {
    this.#nextAt = monotonicMs(this.#deps.clock) + ms;
  }

  #waited(ms: number): Promise<void> {
    return new Promise((end) => (this.#pause = { timer: this.#deps.clock.setTimeout(end, ms), end }));
  }
}

function parseProgress(text: string): Progress {
  // Written above, or by a newer release.
  return JSON.parse(text) as Progress;
}

function countsOf({ looked, named }: Progress): Readonly<Record<string, number>> {
  return { looked, named };
}
