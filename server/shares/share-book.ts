import type { Logger } from '../ports/observability.ts';
import type { Gauged } from '../observability/gauge-sampler.ts';
import { shareNames, type CountChange, type Name, type OwnerRegistry, type Shares } from '../ports/owners.ts';
import type { TaskAbout } from '../task/about.ts';
import type { TaskSettings } from '../task/settings.ts';
import { shareMax } from './limits.ts';
import { added, noShares, sumOf } from './shares-of.ts';

/** What the book works with. */
export interface ShareBookDeps {
  readonly store: Pick<OwnerRegistry, 'count'>;
  readonly logger: Logger;
  readonly settings: TaskSettings;
}

/** Changes of one owner that the store was not told of yet. */
interface Gathered {
  readonly by: Partial<Shares>;
  readonly names: readonly Name[];
}

/** Looks whether what an owner has changes while it is counted. */
export interface ShareObserver {
  /** True as long as nothing was written, or was being written, that the count may have seen and the store is told of later. */
  readonly isStill: boolean;
  end(): void;
}

/** Owners whose counts are kept at hand. */
const OWNERS_MAX = 10_000;
/** Changes that go to the store at once. */
const CHANGES_MAX = 500;

/**
 * What this node knows of what owners have. It tells the store of each change after the commit that made it, those of one turn together, and
 * learns from the answer what the owner has on all nodes. A change that the store did not take is noted as doubtful, and found by a recount.
 */
export class ShareBook {
  readonly #deps: ShareBookDeps;
  /** The one that was touched last comes last. */
  readonly #known = new Map<string, Shares>();
  #gathered = new Map<string, Gathered>();
  /** What is about to be asked or claimed, and not committed yet. */
  readonly #reserved = { active: new Map<string, number>(), questions: new Map<string, number>() };
  readonly #doubtful = new Set<string>();
  /** How many changes of an owner are being written. */
  readonly #writing = new Map<string, number>();
  readonly #observers = new Map<string, Set<{ isStill: boolean }>>();
  readonly #listeners = new Set<(owner: string) => void>();
  #sending: Promise<void> | undefined;
  #isFailing = false;

  constructor(deps: ShareBookDeps) {
    this.#deps = deps;
  }

  /** Calls back where an owner may have less than before. */
  onLess(listener: (owner: string) => void): void {
    this.#listeners.add(listener);
  }

  /** What an owner has is about to be changed by a commit; gives the function to be called when that has its answer. */
  writing(owner: string): () => void {
    this.#disturb(owner);
    this.#writing.set(owner, (this.#writing.get(owner) ?? 0) + 1);
    return () => {
      const left = (this.#writing.get(owner) ?? 0) - 1;
      if (left > 0) this.#writing.set(owner, left);
      else this.#writing.delete(owner);
    };
  }

  /** Observes an owner who is about to be counted. */
  observe(owner: string): ShareObserver {
    const observers = this.#observers.get(owner) ?? new Set();
    const own = { isStill: !this.#writing.has(owner) };
    this.#observers.set(owner, observers.add(own));
    return Object.assign(own, {
      end: () => {
        observers.delete(own);
        if (observers.size === 0) this.#observers.delete(owner);
      },
    });
  }

  /** A commit changed what the owner of a task has. Where its work began or ended, its name is put back if it is missing. */
  note({ owner, requestKey, createdAt }: Pick<TaskAbout, 'owner' | 'requestKey' | 'createdAt'>, by: Partial<Shares>): void {
    if (Object.keys(by).length === 0) return;
    if (isCounted(by)) this.#disturb(owner);
    const { by: before, names } = this.#gathered.get(owner) ?? { by: {}, names: [] };
    const name = by.active !== undefined && by.tasks === undefined ? [{ requestKey, at: createdAt }] : [];
    this.#gathered.set(owner, { by: sumOf(before, by), names: [...names, ...name] });
    this.#learn(owner, added(this.known(owner), by));
    this.#sending ??= this.#send().finally(() => (this.#sending = undefined));
  }

  /** The store itself has added this. */
  created(owner: string, adds: Partial<Shares>): void {
    this.#learn(owner, added(this.known(owner), adds));
  }

  /** What an owner has, as far as this node knows. */
  known(owner: string): Shares {
    return this.#known.get(owner) ?? noShares;
  }

  /** What the gauges of shares show: how full that of the fullest owner is, of those that this node knows. */
  *gauges(): Generator<Gauged> {
    for (const share of shareNames) {
      const max = shareMax(share, this.#deps.settings);
      let most = 0;
      for (const shares of this.#known.values()) most = Math.max(most, shares[share]);
      if (max !== Number.POSITIVE_INFINITY) yield { name: 'share_used_ratio', tags: { share }, value: max > 0 ? most / max : 1 };
    }
  }

  /** Asks the store what owners have. */
  async ask(owners: readonly string[]): Promise<void> {
    if (owners.length === 0) return;
    const answers = await this.#deps.store.count(owners.map((owner) => ({ owner, by: {} })));
    owners.forEach((owner, i) => this.#answered(owner, answers[i]));
  }

  /** Reserves a place for what is about to be committed; false where the owner would have too much. To be freed afterwards, whatever came of it. */
  reserve(share: 'active' | 'questions', owner: string, count = 1): boolean {
    const reserved = this.#reserved[share].get(owner) ?? 0;
    if (this.known(owner)[share] + reserved + count > shareMax(share, this.#deps.settings)) return false;
    this.#reserved[share].set(owner, reserved + count);
    return true;
  }

  free(share: 'active' | 'questions', owner: string, count = 1): void {
    const left = (this.#reserved[share].get(owner) ?? 0) - count;
    if (left > 0) this.#reserved[share].set(owner, left);
    else this.#reserved[share].delete(owner);
  }

  /** How many more of an owner's tasks may be at work. */
  room(owner: string): number {
    const taken = this.known(owner).active + (this.#reserved.active.get(owner) ?? 0);
    return Math.max(0, shareMax('active', this.#deps.settings) - taken);
  }

  /** Runs what asks questions of an owner, and says whether he may have them; where he seems to have too many, the store is asked first. */
  asking<T>(owner: string, questions: number, run: (mayAsk: boolean) => Promise<T>): Promise<T> {
    // As most reports: they wait for nothing here.
    return questions === 0 ? run(true) : this.#reserving(owner, questions, run);
  }

  async #reserving<T>(owner: string, questions: number, run: (mayAsk: boolean) => Promise<T>): Promise<T> {
    let mayAsk = this.reserve('questions', owner, questions);
    if (!mayAsk) {
      await this.ask([owner]);
      mayAsk = this.reserve('questions', owner, questions);
    }
    try {
      return await run(mayAsk);
    } finally {
      if (mayAsk) this.free('questions', owner, questions);
    }
  }

  /** Takes owners out whose counts may be off. */
  takeDoubtful(most: number): readonly string[] {
    const owners = [...this.#doubtful].slice(0, most);
    for (const owner of owners) this.#doubtful.delete(owner);
    return owners;
  }

  /** The counts of this owner may be off. */
  doubt(owner: string): void {
    if (this.#doubtful.size < OWNERS_MAX) this.#doubtful.add(owner);
  }

  /** Resolves when the store was told of all that was noted before. Never rejects. */
  async flushed(): Promise<void> {
    while (this.#sending) await this.#sending;
  }

  /** Never rejects. */
  async #send(): Promise<void> {
    // What is noted in the same turn goes together.
    await Promise.resolve();
    while (this.#gathered.size > 0) {
      const gathered = this.#gathered;
      this.#gathered = new Map();
      const changes = [...gathered].flatMap(([owner, { by, names }]) => changesOf(owner, by, names));
      for (let at = 0; at < changes.length; at += CHANGES_MAX) await this.#count(changes.slice(at, at + CHANGES_MAX));
    }
  }

  async #count(changes: readonly CountChange[]): Promise<void> {
    try {
      const answers = await this.#deps.store.count(changes);
      changes.forEach(({ owner }, i) => this.#answered(owner, answers[i]));
      this.#isFailing = false;
    } catch (error) {
      // It may have been written: sent again, it would count twice.
      for (const { owner } of changes) this.doubt(owner);
      if (!this.#isFailing)
        this.#deps.logger.warn('What owners have could not be counted; it is found out again when the store answers.', { error });
      this.#isFailing = true;
    }
  }

  #answered(owner: string, shares: Shares | undefined): void {
    if (shares) this.#learn(owner, added(shares, this.#gathered.get(owner)?.by ?? {}));
  }

  #learn(owner: string, shares: Shares): void {
    const before = this.#known.get(owner);
    this.#known.delete(owner);
    this.#known.set(owner, shares);
    if (this.#known.size > OWNERS_MAX) this.#dropOldest();
    if (before && before.active > shares.active) for (const listener of this.#listeners) listener(owner);
  }

  #disturb(owner: string): void {
    for (const observer of this.#observers.get(owner) ?? []) observer.isStill = false;
  }

  #dropOldest(): void {
    for (const owner of this.#known.keys()) {
      this.#known.delete(owner);
      return;
    }
  }
}

/** True where more is changed than bytes: work says something all the time, and a few bytes matter to nobody. */
export function isCounted({ bytes: _, ...others }: Partial<Shares>): boolean {
  return Object.keys(others).length > 0;
}

/** One change takes one name. */
function changesOf(owner: string, by: Partial<Shares>, [first, ...others]: readonly Name[]): CountChange[] {
  return [{ owner, by, ...(first && { name: first }) }, ...others.map((name) => ({ owner, by: {}, name }))];
}
