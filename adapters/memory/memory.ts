import type { EventId } from '../../machines/wire/index.ts';
import type { Entry, Plan } from '../../server/ports/index.ts';
import { createLocalTails, type LocalTails } from './tail.ts';

/** A task as the memory has it. */
export interface TaskRow {
  readonly requestKey: string;
  readonly fields: Map<string, string>;
  readonly sideValues: Map<string, string>;
  readonly owner: string;
  readonly taskType: string;
  revision: number;
  plan: Plan;
  /** Shown to nobody who looks for something to do before this time; 0 where it is shown. */
  hiddenUntil: number;
  /** The facts that are still kept; the first of them is number `firstRetained`. */
  readonly log: Entry[];
  firstRetained: number;
  lastEventId: EventId | null;
  ended: boolean;
}

/** What a store knows. Outlives the store objects that look at it, and several may: each is then a node of its own. */
export interface Memory {
  readonly tasks: Map<string, TaskRow>;
  /** From request key to task id. */
  readonly requests: Map<string, string>;
  /** From node to the beat of its lease. */
  readonly leases: Map<string, number>;
  /** From owner to his last turn, where work of his may wait. */
  readonly turns: Map<string, number>;
  readonly tails: LocalTails;
}

/** Makes an empty memory. */
export function createMemory(): Memory {
  return { tasks: new Map(), requests: new Map(), leases: new Map(), turns: new Map(), tails: createLocalTails() };
}
