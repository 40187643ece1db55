import { TaskBridgeClientError, type Observation } from '../../client/index.ts';
import { partOf, partsOf } from '../../client/parts/index.ts';
import type { Entity } from './event-queue.ts';
import type { Oracle } from './oracle.ts';
import type { World } from './world.ts';

/** What readers of parts are made of. */
export interface PartReadersDeps {
  readonly name: string;
  readonly world: World;
  readonly oracle: Oracle;
  readonly observation: Observation;
  readonly entity: Entity;
  mayBeLeft(error: unknown): boolean;
}

/** Reads each part of a task in pieces, as long as one life of a client lasts: what they come to is a prefix all the time, and whole at the end. */
export class PartReaders {
  readonly #deps: PartReadersDeps;
  readonly #begun = new Set<number>();
  /** The parts that are being read. */
  readonly #open = new Set<number>();

  constructor(deps: PartReadersDeps) {
    this.#deps = deps;
  }

  /** What is still to come to its end. */
  get pending(): readonly number[] {
    return this.#deps.entity.isDead ? [] : [...this.#open];
  }

  /** Begins to read what is new. */
  look(): void {
    for (const { part } of partsOf(this.#deps.observation)) {
      if (this.#begun.has(part)) continue;
      this.#begun.add(part);
      this.#open.add(part);
      void this.#read(part).finally(() => this.#open.delete(part));
    }
  }

  async #read(part: number): Promise<void> {
    const { world, oracle, observation, entity, name, mayBeLeft } = this.#deps;
    const { taskId } = observation;
    let text = '';
    try {
      for await (const piece of partOf(observation, part)) {
        if (entity.isDead) return;
        const before = piece.reset ? '' : text;
        if (partOf(observation, part).kind === 'latest') {
          text = piece.text;
          this.#judgeValue(part, text, before);
          continue;
        }
        text = before + piece.text;
        if (!oracle.lanes.isPrefixOfPart(taskId, part, text, before))
          world.fault(
            'what is shown of a part is a prefix of it',
            `${name} reads …${JSON.stringify(text.slice(-40))} of part ${part} of ${taskId}`,
          );
      }
    } catch (error) {
      if (entity.isDead || mayBeLeft(error) || this.#isExcused(error)) return;
      return world.fault('whoever reads a part comes to its end', `${name} reads part ${part} of ${taskId}: ${String(error)}`);
    }
    if (entity.isDead || observation.getSnapshot().connection.state === 'closed') return;
    if (!oracle.lanes.isWhole(taskId, part, text) && oracle.of(taskId).lost.length === 0)
      world.fault(
        'a part is whole where it is closed',
        `${name} has read …${JSON.stringify(text.slice(-40))} of part ${part} of ${taskId}`,
      );
  }

  #judgeValue(part: number, text: string, before: string): void {
    const { world, name, observation, oracle } = this.#deps;
    const { lanes } = oracle;
    const { taskId } = observation;
    if (text !== '' && !lanes.values.isOf(taskId, part, text))
      world.fault('what is shown of a value was written', `${name} reads ${text.slice(0, 60)} of part ${part} of ${taskId}`);
    const isLost = oracle.of(taskId).lost.length > 0 || lanes.values.wasShortened(taskId, part);
    if (before !== '' && before !== text && !isLost && !lanes.values.isNewer(taskId, part, text, before))
      world.fault(
        'a value only becomes newer',
        `${name} reads ${text.slice(0, 60)} of part ${part} of ${taskId} after ${before.slice(0, 60)}`,
      );
  }

  /** The observation was closed; or what was said of the part is no longer kept, or lost. */
  #isExcused(error: unknown): boolean {
    const { oracle, observation } = this.#deps;
    if (!(error instanceof TaskBridgeClientError)) return false;
    const { firstRetained, lost } = oracle.of(observation.taskId);
    return error.code === 'CLOSED' || (error.code === 'TEXT_RELEASED' && (firstRetained > 1 || lost.length > 0));
  }
}
