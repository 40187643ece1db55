import type { JobInput } from './job.ts';

/** What became of one call, as its caller was told; `unknown` where no answer came, whatever was done. */
export type Outcome = string;

/** One key under which a task was created, by one caller or several at once. */
export interface Creation {
  readonly owner: string;
  readonly clientRequestId: string;
  readonly input: JobInput;
  /** It waits in silence until the run is over: nobody cancels it before. Absent for others. */
  readonly lasts?: boolean;
  /** The ids that callers were given. */
  readonly taskIds: Set<string>;
  /** How often it was asked for. */
  sent: number;
  /** The tasks that answers said to be new, one for each such answer. */
  readonly toldNew: string[];
  answered: number;
  unknown: number;
}

/** One action, with every outcome that somebody was told of it: the same id and content may be sent many times. */
export interface SentAction {
  readonly owner: string;
  readonly taskId: string;
  readonly suspendId: string;
  readonly clientActionId: string;
  readonly actionType: string;
  readonly payload: { readonly by: string };
  /** When it was sent first, in milliseconds of the judge's own clock. */
  readonly sentAt: number;
  readonly outcomes: Outcome[];
}

/** One life of a client, as far as one task goes. */
export interface ClientLife {
  /** When it began, in milliseconds of the judge's own clock. */
  readonly begunAt: number;
  /** The event id in the checkpoint that it began with; undefined for none. */
  readonly resumedAfter: string | undefined;
  /** What came, in order. */
  readonly ids: string[];
  /** Of these, how many were dealt with: the next one was asked for. */
  dealtWith: number;
  /** How often it was told that what it had is of a history that is gone. Absent for never. */
  resets?: number;
  /** `torn`: its process ended without a word, and nothing more was saved. `absent`: it was told that there is no such task. */
  end: 'ended' | 'left' | 'torn' | 'absent' | undefined;
}

/** One client that watches one task, through all its lives. */
export interface Viewing {
  readonly viewer: string;
  readonly owner: string;
  readonly taskId: string;
  readonly stays: ClientLife[];
  /** What the client's own fold said at the end. */
  folded?: { readonly state: string; readonly lastEventId: string | null };
  /** Why it could not go on, where it could not. */
  fault?: string;
}

/** A hole in a log that a client was told of. */
export interface GapTold {
  readonly viewer: string;
  readonly taskId: string;
  readonly reason: 'trimmed' | 'reset';
}

/** All that was done to the servers and heard from them. */
export interface RunRecord {
  readonly creations: Creation[];
  readonly actions: SentAction[];
  readonly viewings: Viewing[];
  /** Gaps that clients were told of. */
  readonly gaps: GapTold[];
  /** Facts by the transport that brought them. */
  readonly brought: Record<'ws' | 'sse' | 'poll', number>;
  /** Lists of owners that somebody went through, and what was wrong with them. */
  readonly lists: { walked: number; readonly faults: string[] };
  cancels: number;
  /** Lives of clients. */
  lives: number;
}

/** An empty one. */
export function emptyRunRecord(): RunRecord {
  return {
    creations: [],
    actions: [],
    viewings: [],
    gaps: [],
    brought: { ws: 0, sse: 0, poll: 0 },
    lists: { walked: 0, faults: [] },
    cancels: 0,
    lives: 0,
  };
}

/** Facts that were given to consumers so far. */
export function delivered({ viewings }: RunRecord): number {
  return viewings.reduce((sum, { stays }) => sum + stays.reduce((all, { ids }) => all + ids.length, 0), 0);
}
