/** Items in an order of their own, no two of them equal. */
export class Ranking<Item> {
  readonly #items: Item[] = [];
  readonly #compare: (a: Item, b: Item) => number;

  constructor(compare: (a: Item, b: Item) => number) {
    this.#compare = compare;
  }

  get size(): number {
    return this.#items.length;
  }

  /** An item that is there already is replaced. */
  add(item: Item): void {
    const { place, isThere } = this.#find(item);
    this.#items.splice(place, isThere ? 1 : 0, item);
  }

  remove(item: Item): void {
    const { place, isThere } = this.#find(item);
    if (isThere) this.#items.splice(place, 1);
  }

  /** The first ones, or the first ones behind an item, which need not be there itself. */
  page(limit: number, after?: Item): Item[] {
    const found = after === undefined ? { place: 0, isThere: false } : this.#find(after);
    const start = found.place + (found.isThere ? 1 : 0);
    return this.#items.slice(start, start + limit);
  }

  #find(item: Item): { readonly place: number; readonly isThere: boolean } {
    let [low, high] = [0, this.#items.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      // Within the array, by the loop's own bounds.
      if (this.#compare(this.#items[middle] as Item, item) < 0) low = middle + 1;
      else high = middle;
    }
    const there = this.#items[low];
    return { place: low, isThere: there !== undefined && this.#compare(there, item) === 0 };
  }
}

/** Compares two texts by their units of UTF-16. */
export function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
