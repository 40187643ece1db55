/** How many there are of something, for each owner and in all. */
export interface CountByOwner {
  readonly all: number;
  of(owner: string): number;
}

/** Counts what comes and goes. */
export class OwnerCount implements CountByOwner {
  readonly #owners = new Map<string, number>();
  #total = 0;

  get all(): number {
    return this.#total;
  }

  of(owner: string): number {
    return this.#owners.get(owner) ?? 0;
  }

  /** Counts one, or so many, until they leave. */
  enter(owner: string, amount = 1): void {
    this.#total += amount;
    this.#owners.set(owner, this.of(owner) + amount);
  }

  /** Counts one, or so many, no more; once for each that was counted. */
  leave(owner: string, amount = 1): void {
    this.#total -= amount;
    const left = this.of(owner) - amount;
    if (left > 0) this.#owners.set(owner, left);
    else this.#owners.delete(owner);
  }
}
