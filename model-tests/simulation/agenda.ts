/** Somebody to whom things happen: a node, a client, the network. What was to happen to one that is dead does not. */
export interface Being {
  readonly name: string;
  isDead: boolean;
  /** Until then nothing happens to it; what was due happens afterwards. Milliseconds of the world. */
  frozenUntil: number;
}

export function being(name: string): Being {
  return { name, isDead: false, frozenUntil: 0 };
}

/** Something that will happen. */
export interface Appointment {
  at: number;
  readonly order: number;
  readonly whose: Being;
  run: (() => void) | undefined;
}

/** What will happen, in the order in which it does: by time, then by when it was planned. */
export class Agenda {
  readonly #heap: Appointment[] = [];
  #orders = 0;

  get size(): number {
    return this.#heap.length;
  }

  add(at: number, whose: Being, run: () => void): Appointment {
    const appointment: Appointment = { at, order: (this.#orders += 1), whose, run };
    this.#push(appointment);
    return appointment;
  }

  cancel(appointment: Appointment): void {
    appointment.run = undefined;
  }

  /** It does not happen yet after all; its place in the order stays. */
  putBack(appointment: Appointment): void {
    this.#push(appointment);
  }

  /** What was put off because somebody was frozen happens now, in the order in which it came. */
  thaw(whose: Being, now: number): void {
    const { frozenUntil } = whose;
    whose.frozenUntil = 0;
    for (const appointment of this.#heap.splice(0)) {
      if (appointment.whose === whose && appointment.at === frozenUntil) appointment.at = Math.min(frozenUntil, now);
      this.#push(appointment);
    }
  }

  /** The next thing that really happens. */
  next(): Appointment | undefined {
    for (let top = this.#pop(); top; top = this.#pop()) {
      if (!top.run || top.whose.isDead) continue;
      if (top.whose.frozenUntil <= top.at) return top;
      top.at = top.whose.frozenUntil;
      this.#push(top);
    }
    return undefined;
  }

  #push(appointment: Appointment): void {
    const heap = this.#heap;
    let at = heap.push(appointment) - 1;
    while (at > 0) {
      const up = (at - 1) >> 1;
      if (!isBefore(appointment, heap[up])) break;
      heap[at] = heap[up] as Appointment;
      at = up;
    }
    heap[at] = appointment;
  }

  #pop(): Appointment | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (!top || !last || heap.length === 0) return top;
    let at = 0;
    for (;;) {
      let down = 2 * at + 1;
      if (down >= heap.length) break;
      if (down + 1 < heap.length && isBefore(heap[down + 1] as Appointment, heap[down])) down += 1;
      if (!isBefore(heap[down] as Appointment, last)) break;
      heap[at] = heap[down] as Appointment;
      at = down;
    }
    heap[at] = last;
    return top;
  }
}

function isBefore(one: Appointment, other: Appointment | undefined): boolean {
  return other === undefined || one.at < other.at || (one.at === other.at && one.order < other.order);
}
