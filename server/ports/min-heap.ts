/** Something that may stand in a heap, one at a time. */
export interface HeapItem {
  /** What it is sorted by; not to be changed while it is in a heap. */
  at: number;
  /** Its place in the heap, which the heap keeps; -1 where it is in none. */
  place: number;
}

/** Items of which the least is at hand, and from which any can be taken out. */
export class MinHeap<Item extends HeapItem> {
  readonly #items: Item[] = [];

  get size(): number {
    return this.#items.length;
  }

  get first(): Item | undefined {
    return this.#items[0];
  }

  push(item: Item): void {
    this.#rise(item, this.#items.push(item) - 1);
  }

  remove(item: Item): void {
    const hole = item.place;
    item.place = -1;
    const last = this.#items.pop();
    if (last === undefined || last === item) return;
    const up = this.#items[(hole - 1) >> 1];
    if (up && last.at < up.at) this.#rise(last, hole);
    else this.#sink(last, hole);
  }

  #rise(item: Item, from: number): void {
    let place = from;
    while (place > 0) {
      const up = this.#items[(place - 1) >> 1];
      if (!up || up.at <= item.at) break;
      this.#put(up, place);
      place = (place - 1) >> 1;
    }
    this.#put(item, place);
  }

  #sink(item: Item, from: number): void {
    let place = from;
    for (;;) {
      const [left, right] = [2 * place + 1, 2 * place + 2];
      const down =
        (this.#items[right]?.at ?? Number.POSITIVE_INFINITY) < (this.#items[left]?.at ?? Number.POSITIVE_INFINITY) ? right : left;
      const child = this.#items[down];
      if (!child || child.at >= item.at) break;
      this.#put(child, place);
      place = down;
    }
    this.#put(item, place);
  }

  #put(item: Item, place: number): void {
    this.#items[place] = item;
    item.place = place;
  }
}
