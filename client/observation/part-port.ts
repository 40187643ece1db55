import type { PartTextResponse } from '../../machines/parts/index.ts';
import type { Fact, TaskSnapshotResponse, UnknownFact } from '../../machines/wire/index.ts';
import type { Clock } from '../clock.ts';
import type { Observation } from './observation.ts';

/** What became of a frame: it brought text, nothing in it was new, or what is before it is missing. */
export type PartOutcome = 'news' | 'known' | 'torn';

/** The parts of one task in one context of a client, as its connections fill them. */
export interface PartRecord {
  /** How far they have come, as a server takes it; `''` where there is nothing to say. */
  readonly cursors: string;
  /** True where what has ended a connection before it was confirmed may be about the cursors: none are told until text comes again. */
  doubts(ending: { readonly kind: string; readonly closeCode?: number; readonly status?: number }): boolean;
  /** Takes what is no fact, whatever it is. Those of one `connection` come in their order. */
  frame(frame: object, connection: object): PartOutcome;
  fact(fact: Fact | UnknownFact): void;
  /** What a server says of the task, at about the time of what comes. */
  snapshot(task: TaskSnapshotResponse): void;
  /** The history was replaced: nothing that is known counts. */
  reset(): void;
  /** Nothing follows. */
  ended(): void;
}

/** What one observation has of the parts of its task. */
export interface JoinedParts {
  readonly record: PartRecord;
  /** For a checkpoint at this position: JSON, or undefined where there is nothing to keep. */
  store(eventId: string): unknown;
  /** Takes up what was stored, where nothing is known yet. */
  restore(stored: unknown): void;
  leave(): void;
}

/** Asks the server for the text of a part from a place on, until it has it or the signal aborts. Rejects where it can never be had. */
export type PartReading = (part: number, offset: number, signal: AbortSignal) => Promise<PartTextResponse>;

/** The parts of all that one client observes. */
export interface ClientParts {
  /** `onStale` is called where a checkpoint is older than what is known, now and then; `read` for closed parts whose text never came. */
  join(observation: Observation, context: object | undefined, onStale: () => void, read: PartReading): JoinedParts;
}

/** Where the text of parts is kept: `taskParts()` of `taskbridge/client/parts`. */
export interface PartPort {
  /** Called once by each client that is given it. */
  open(clock: Clock): ClientParts;
}
