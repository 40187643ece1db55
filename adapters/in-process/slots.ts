interface Turn {
  readonly taken: Promise<boolean>;
  resolve(isTaken: boolean): void;
}

type Queue = Map<Slot, Turn>;

/** So many runs work at once. The others wait: those that go on before those that begin, each kind in the order in which they came. */
export class Slots {
  readonly #goingOn: Queue = new Map();
  readonly #beginning: Queue = new Map();
  readonly #working = new Set<Slot>();
  readonly #most: number;
  readonly #charactersMost: number;
  readonly #onRoom: () => void;

  /** Takes in runs until what they were given has so many characters. `onRoom` is called when more could begin than before. */
  constructor(most: number, onRoom: () => void, charactersMost = Infinity) {
    this.#most = most;
    this.#charactersMost = charactersMost;
    this.#onRoom = onRoom;
  }

  /** How many more could begin now: less those that work and those that wait to begin. Who waits to go on has the next place that is free. */
  get room(): number {
    if (this.#characters >= this.#charactersMost) return 0;
    return Math.max(0, this.#most - this.#working.size - this.#beginning.size);
  }

  get #characters(): number {
    let sum = 0;
    for (const { characters } of this.#working) sum += characters;
    for (const { characters } of this.#beginning.keys()) sum += characters;
    return sum;
  }

  /** See {@link Slot}. */
  take(slot: Slot, queue: 'beginning' | 'going on'): Promise<boolean> {
    if (this.#working.has(slot) || this.#working.size < this.#most) {
      this.#working.add(slot);
      return Promise.resolve(true);
    }
    const waiting = queue === 'beginning' ? this.#beginning : this.#goingOn;
    const turn = waiting.get(slot) ?? newTurn();
    waiting.set(slot, turn);
    return turn.taken;
  }

  /** See {@link Slot}. */
  withdraw(slot: Slot): void {
    if (leave(this.#beginning, slot)) this.#onRoom();
  }

  /** See {@link Slot}. */
  free(slot: Slot): void {
    this.withdraw(slot);
    leave(this.#goingOn, slot);
    if (!this.#working.delete(slot)) return;
    const [queue] = [this.#goingOn, this.#beginning].filter(({ size }) => size > 0);
    for (const [next, { resolve }] of queue ?? []) {
      queue?.delete(next);
      this.#working.add(next);
      return resolve(true);
    }
    this.#onRoom();
  }
}

/** One run's right to work: taken to begin, given up while it waits for a person, taken again to go on. */
export class Slot {
  readonly #slots: Slots;
  /** How long the text is that the run was given. */
  readonly characters: number;
  #life: 'wanted' | 'over' = 'wanted';

  constructor(slots: Slots, characters = 0) {
    this.#slots = slots;
    this.characters = characters;
  }

  /** Resolves with true when the run may begin; with false where it was withdrawn or freed before. */
  begin(): Promise<boolean> {
    return this.#slots.take(this, 'beginning');
  }

  /** Resolves with true when the run may go on, at once where it works; with false where it was freed before, or has ended. */
  goOn(): Promise<boolean> {
    // An answer may come when the run has what it needs: nobody would give back what was taken for it.
    return this.#life === 'over' ? Promise.resolve(false) : this.#slots.take(this, 'going on');
  }

  /** The run has ended: lets another work, for good. */
  end(): void {
    this.#life = 'over';
    this.free();
  }

  /** A run that waits to begin does not begin. */
  withdraw(): void {
    this.#slots.withdraw(this);
  }

  /** Lets another run work, and waits for no turn any more. */
  free(): void {
    this.#slots.free(this);
  }
}

function newTurn(): Turn {
  let resolve: Turn['resolve'] = () => undefined;
  const taken = new Promise<boolean>((settle) => (resolve = settle));
  return { taken, resolve };
}

/** False where it did not wait there. */
function leave(queue: Queue, slot: Slot): boolean {
  queue.get(slot)?.resolve(false);
  return queue.delete(slot);
}
