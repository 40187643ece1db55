import { hashOf, seededRandom, type SeededRandom } from '../support/seeded-random.ts';
import { EventQueue, entity, type ScheduledEvent, type Entity } from './event-queue.ts';

/** Something that must never happen, and did. */
export class Violation extends Error {
  override readonly name = 'Violation';
  /** Names the rule that was broken; a shrunk history breaks the same one. */
  readonly rule: string;

  constructor(rule: string, message: string) {
    super(message);
    this.rule = rule;
  }
}

/** When the world begins, in milliseconds since the epoch. */
export const BEGINNING = 1_800_000_000_000;

/** How often it is looked whether something has come to pass, in milliseconds of the world. */
const LOOK_MS = 50;

/** What happens within one millisecond of the world goes round in a circle when it is more than that: it would never end. */
const STEPS_PER_MS_MAX = 5_000;

/** Time and chance of one history, what will happen next, and what has happened. */
export class World {
  readonly seed: number;
  /** What happens to nobody in particular. */
  readonly itself: Entity = entity('world');
  /** What happened, where somebody wants to read it. */
  readonly told: string[] | undefined;
  steps = 0;
  violation: Violation | undefined;
  readonly #queue = new EventQueue();
  #time = 0;
  #stepsThisMs = 0;
  #hash = hashOf('');

  constructor(seed: number, isTold: boolean) {
    this.seed = seed;
    this.told = isTold ? [] : undefined;
  }

  /** Milliseconds since the beginning. */
  get time(): number {
    return this.#time;
  }
  /** Milliseconds since the epoch. */
  get now(): number {
    return BEGINNING + Math.floor(this.#time);
  }
  /** Two equal histories have equal hashes. */
  get hash(): string {
    return this.#hash.toString(16).padStart(8, '0');
  }

  random(name: string): SeededRandom {
    return seededRandom(`${this.seed}/${name}`);
  }

  after(ms: number, whose: Entity, run: () => void): ScheduledEvent {
    return this.#queue.add(this.#time + Math.max(0, ms), whose, run);
  }
  cancel(event: ScheduledEvent): void {
    this.#queue.cancel(event);
  }

  /** Nobody of these is frozen any longer. */
  thaw(whose: Entity): void {
    this.#queue.thaw(whose, this.#time);
  }

  /** Enters a line into the history. */
  tell(who: string, what: string): void {
    this.#hash = hashOf(what, hashOf(who, this.#hash ^ Math.floor(this.#time)));
    this.remark(who, () => what);
  }

  /** Adds a line for whoever reads the history, which is the same without it. */
  remark(who: string, what: () => string): void {
    this.told?.push(`${this.#time.toFixed(2).padStart(10)}  ${who.padEnd(10)}  ${what()}`);
  }

  /** Notes the first rule that was broken; the history ends with it. */
  fault(rule: string, message: string): void {
    this.tell('VIOLATION', `${rule}: ${message}`);
    this.violation ??= new Violation(rule, message);
  }

  /** Lets things happen, one after the other, each with all that follows from it at once, until the condition holds. False where it never did. */
  async until(holds: () => boolean, withinMs: number): Promise<boolean> {
    const limit = this.#time + withinMs;
    let lookAt = 0;
    while (!this.violation) {
      if (this.#time >= lookAt) {
        if (holds()) return true;
        lookAt = this.#time + LOOK_MS;
      }
      const next = this.#queue.next();
      if (!next) return holds();
      if (next.at > limit) {
        this.#queue.putBack(next);
        this.#time = limit;
        return holds();
      }
      this.#advance(next.at);
      const { run } = next;
      next.run = undefined;
      run?.();
      // Microtasks and next ticks are through when this comes back.
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    return false;
  }

  #advance(to: number): void {
    this.steps += 1;
    this.#stepsThisMs = Math.floor(to) > this.#time ? 1 : this.#stepsThisMs + 1;
    this.#time = Math.max(this.#time, to);
    if (this.#stepsThisMs > STEPS_PER_MS_MAX) this.fault('time goes on', `${STEPS_PER_MS_MAX} steps within a millisecond`);
  }
}
