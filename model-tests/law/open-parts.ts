import { eventNumber, isTerminalType, type Fact } from '../../machines/wire/index.ts';

/** As the protocol has them. */
const OPEN_MAX = 16;
const PARTS_MAX = 1000;

/** Knows by the facts of one log alone which parts are open, and what the log may not say of them. */
export class OpenParts {
  readonly #open = new Set<bigint>();
  #opened = 0;

  /** Takes the next fact of the log; gives the rule that it breaks, where it breaks one. */
  take({ type, eventId, payload }: Fact): string | undefined {
    if (type === 'TASK_PART_OPENED') {
      this.#open.add(eventNumber(eventId) ?? 0n);
      this.#opened += 1;
      if (this.#open.size > OPEN_MAX) return `at most ${OPEN_MAX} parts are open`;
      return this.#opened > PARTS_MAX ? `at most ${PARTS_MAX} parts are opened` : undefined;
    }
    if (type === 'TASK_PART_CLOSED') return this.#open.delete(BigInt(payload.part)) ? undefined : 'only open parts are closed, and once';
    return isTerminalType(type) && this.#open.size > 0 ? 'parts are closed before the end' : undefined;
  }

  /** As before the first fact. */
  clear(): void {
    this.#open.clear();
    this.#opened = 0;
  }
}
