/** Somebody to whom things happen: a node, a client, the network. What was to happen to one that is dead does not. */
export interface Entity {
  readonly name: string;
  isDead: boolean;
  /** Until then nothing happens to it; what was due happens afterwards. Milliseconds of the world. */
  frozenUntil: number;
}

export function entity(name: string): Entity {
  return { name, isDead: false, frozenUntil: 0 };
}

/** Something that will happen. */
export interface ScheduledEvent {
  at: number;
  readonly order: number;
  readonly whose: Entity;
  run: (() => void) | undefined;
}

/** What will happen, in the order in which it does: by time, then by when it was planned. */
export class EventQueue {
  readonly #heap: ScheduledEvent[] = [];
  #orders = 0;

  get size(): number {
    return this.#heap.length;
  }

  add(at: number, whose: Entity, run: () => void): ScheduledEvent {
    const event: ScheduledEvent = { at, order: (this.#orders += 1), whose, run };
    this.#push(event);
    return event;
  }

  cancel(event: ScheduledEvent): void {
    event.run = undefined;
  }

  /** It does not happen yet after all; its place in the order stays. */
  putBack(event: ScheduledEvent): void {
    this.#push(event);
  }

  /** What was put off because somebody was frozen happens now, in the order in which it came. */
  thaw(whose: Entity, now: number): void {
    const { frozenUntil } = whose;
    whose.frozenUntil = 0;
    for (const event of this.#heap.splice(0)) {
      if (event.whose === whose && event.at === frozenUntil) event.at = Math.min(frozenUntil, now);
      this.#push(event);
    }
  }

  /** The next thing that really happens. */
  next(): ScheduledEvent | undefined {
    for (let top = this.#pop(); top; top = this.#pop()) {
      if (!top.run || top.whose.isDead) continue;
      if (top.whose.frozenUntil <= top.at) return top;
      top.at = top.whose.frozenUntil;
      this.#push(top);
    }
    return undefined;
  }

  #push(event: ScheduledEvent): void {
    const heap = this.#heap;
    let at = heap.push(event) - 1;
    while (at > 0) {
      const up = (at - 1) >> 1;
      if (!isBefore(event, heap[up])) break;
      heap[at] = heap[up] as ScheduledEvent;
      at = up;
    }
    heap[at] = event;
  }

  #pop(): ScheduledEvent | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (!top || !last || heap.length === 0) return top;
    let at = 0;
    for (;;) {
      let down = 2 * at + 1;
      if (down >= heap.length) break;
      if (down + 1 < heap.length && isBefore(heap[down + 1] as ScheduledEvent, heap[down])) down += 1;
      if (!isBefore(heap[down] as ScheduledEvent, last)) break;
      heap[at] = heap[down] as ScheduledEvent;
      at = down;
    }
    heap[at] = last;
    return top;
  }
}

function isBefore(one: ScheduledEvent, other: ScheduledEvent | undefined): boolean {
  return other === undefined || one.at < other.at || (one.at === other.at && one.order < other.order);
}
