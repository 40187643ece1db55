import type { EventId } from '../../machines/wire/index.ts';
import { systemChance, type Entry } from '../../server/ports/index.ts';
import { createLocalTails, type LocalTails } from './tail.ts';

/** A task as the memory has it. */
export interface TaskRow {
  readonly requestKey: string;
  readonly fields: Map<string, string>;
  readonly sideValues: Map<string, string>;
  revision: number;
  dueAt: number | null;
  /** The facts that are still kept; the first of them is number `firstRetained`. */
  readonly log: Entry[];
  firstRetained: number;
  lastEventId: EventId | null;
  ended: boolean;
}

/** What a store knows. Outlives the store objects that look at it, and several may: each is then a node of its own. */
export interface Memory {
  /** Drawn when it was made. */
  readonly id: string;
  readonly tasks: Map<string, TaskRow>;
  /** From request key to task id. */
  readonly requests: Map<string, string>;
  readonly tails: LocalTails;
}

/** Makes an empty memory. */
export function createMemory(): Memory {
  return { id: systemChance.hex(32), tasks: new Map(), requests: new Map(), tails: createLocalTails() };
}
