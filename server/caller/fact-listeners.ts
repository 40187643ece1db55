import { isTerminalType, type Fact, type TerminalFactType } from '../../machines/wire/index.ts';
import type { Logger } from '../ports/observability.ts';
import type { TaskAbout } from '../task/about.ts';

/** Told of one fact, and of the task that it is of. */
export type FactListener = (fact: Fact, about: TaskAbout) => Promise<void> | void;
/** Told of the fact that ended a task, and of the task. */
export type EndListener = (end: Fact<TerminalFactType>, about: TaskAbout) => Promise<void> | void;

/** How many listen, and how far one may be behind. */
export const factListenerLimits = {
  /** Listeners that one bridge has at once. */
  listenersMax: 64,
  /** Facts that wait for one listener; what comes beyond them is not told to it. */
  untoldFactsMax: 1000,
} as const;

/** What listeners are told by. */
export interface FactListenersDeps {
  readonly logger: Logger;
}

/** Tells the host's own listeners what this node commits: each one fact after the other, after the commit, and never in its way. */
export class FactListeners {
  readonly #logger: Logger;
  readonly #queues = new Set<ListenerQueue>();

  constructor({ logger }: FactListenersDeps) {
    this.#logger = logger;
  }

  /** Tells of every fact from now on; gives the way to stop. Throws a `RangeError` where as many listen as may. */
  onFact(listener: FactListener): () => void {
    return this.#add(listener);
  }

  /** Tells of the facts that end tasks. The same otherwise. */
  onEnd(listener: EndListener): () => void {
    return this.#add((fact, about) => (isEnd(fact) ? listener(fact, about) : undefined), isEnd);
  }

  /** What a commit of this node wrote. */
  committed(about: TaskAbout, facts: readonly Fact[]): void {
    if (facts.length === 0) return;
    for (const queue of this.#queues) queue.add(facts, about);
  }

  #add(listener: FactListener, isWanted?: (fact: Fact) => boolean): () => void {
    const { listenersMax } = factListenerLimits;
    if (this.#queues.size >= listenersMax)
      throw new RangeError(`A bridge has at most ${listenersMax} listeners: stop one, with the function that onFact and onEnd gave.`);
    const queue = new ListenerQueue(listener, isWanted, this.#logger);
    this.#queues.add(queue);
    return () => {
      this.#queues.delete(queue);
      queue.stop();
    };
  }
}

/** What one listener has not been told yet. */
class ListenerQueue {
  readonly #listener: FactListener;
  readonly #isWanted: ((fact: Fact) => boolean) | undefined;
  readonly #logger: Logger;
  #waiting: { readonly fact: Fact; readonly about: TaskAbout }[] = [];
  #isTelling = false;
  /** Facts that it was not told of, since it was last told of one. */
  #dropped = 0;

  constructor(listener: FactListener, isWanted: ((fact: Fact) => boolean) | undefined, logger: Logger) {
    this.#listener = listener;
    this.#isWanted = isWanted;
    this.#logger = logger;
  }

  add(facts: readonly Fact[], about: TaskAbout): void {
    for (const fact of facts) {
      if (this.#isWanted?.(fact) === false) continue;
      if (this.#waiting.length < factListenerLimits.untoldFactsMax) this.#waiting.push({ fact, about });
      else this.#drop();
    }
    if (this.#waiting.length > 0 && !this.#isTelling) void this.#tell();
  }

  stop(): void {
    this.#waiting = [];
  }

  #drop(): void {
    // It may never be done with what it was told, and then nothing is said of it later.
    if (this.#dropped === 0) this.#logger.warn('A listener of facts does not keep up: it is not told of those that come now.');
    this.#dropped += 1;
  }

  async #tell(): Promise<void> {
    this.#isTelling = true;
    // The commit that brings it is still on its way to others.
    await Promise.resolve();
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
      const { fact, about } = next;
      try {
        await this.#listener(fact, about);
      } catch (error) {
        this.#logger.error('A listener of facts failed; it is told of the next one.', {
          taskId: fact.taskId,
          eventId: fact.eventId,
          error,
        });
      }
      if (this.#dropped === 0) continue;
      this.#logger.warn('A listener of facts keeps up again. It was not told of some; the logs of their tasks have them.', {
        dropped: this.#dropped,
      });
      this.#dropped = 0;
    }
    this.#isTelling = false;
  }
}

function isEnd(fact: Fact): fact is Fact<TerminalFactType> {
  return isTerminalType(fact.type);
}
