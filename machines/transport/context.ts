import type { EventObject } from 'xstate';
import { retryDelayMs } from '../retry-policy.ts';
import type { Continuity, RefusedAnswer, Settlement, Strategy, TransportFailure, Tries, Classification } from './events.ts';
import type { TransportName } from '../wire/transports.ts';

/** What the transport chart remembers. Counters saturate. */
export interface TransportContext {
  readonly strategy: Strategy;
  /** The budget of each transport; 0 for one that is never used or was ruled out. */
  readonly tries: Tries;
  /** What is left of it. */
  readonly left: Tries;
  /** The transport that was tried last. */
  readonly transport: TransportName;
  /** How often in a row the whole ladder failed, at most 5. */
  readonly passes: number;
  /** How often in a row climbing failed, at most 4. */
  readonly climbFailures: number;
  /** Malformed frames in a row, at most 2. */
  readonly malformed: number;
  /**
   * What a refresh may still be tried for: 0 nothing, since the next try is the first with new credentials; 1 a 401, since they met no other
   * in that try; 2 also a close for good, since something came with them.
   */
  readonly refreshesLeft: number;
  /** 0 where there is nothing to refresh, else 2. */
  readonly refreshesMax: number;
  /** What the server asked to wait before the next try, in milliseconds. */
  readonly retryAfterMs: number;
  readonly continuity: Continuity;
  readonly failure: TransportFailure | null;
}

/** Which retry in a row comes next on this rung, or which further ladder: 0, 1, 2 …, at most 4. */
export function retryOf({ tries, left, transport, passes }: TransportContext): number {
  const failed = tries[transport] - left[transport];
  return Math.min(Math.max((failed > 0 ? failed : passes) - 1, 0), 4);
}

/**
 * The rest before the next try, in milliseconds, without jitter: the base, doubled for each further try that failed on this rung (or each
 * further ladder), at most `maxMs`. Source: protocol, "Clients".
 */
export function backoffMs(context: TransportContext, baseMs = 500, maxMs = 5000): number {
  return retryDelayMs({ baseMs, maxMs, jitter: 0 }, retryOf(context));
}

/** The longest time between two probes, in milliseconds, without jitter. */
const CLIMB_MS_MAX = 300_000;

/**
 * The time to the next probe, in milliseconds: the base, doubled for each failure in a row, at most 5 minutes; `fraction`, from -0.5 to 0.5,
 * makes it up to a fifth shorter or longer.
 */
export function climbMs(baseMs: number, { climbFailures }: TransportContext, fraction = 0): number {
  return retryDelayMs({ baseMs, maxMs: CLIMB_MS_MAX, jitter: 0.4 }, climbFailures, fraction);
}

/** The refusal that an event carries, itself or as the output of `settle`. */
export function refusalOf(event: EventObject): Partial<RefusedAnswer> {
  // Done events of actors are not part of the declared alphabet; their output is typed where the actor is.
  const settlement = (event as { output?: Settlement }).output;
  if (settlement) return settlement.outcome === 'refused' ? settlement : {};
  return 'status' in event ? (event as unknown as RefusedAnswer) : {};
}
/** What the host's classifier said of the failure that an event carries. */
export function verdictOf(event: EventObject): Classification | undefined {
  return 'closeCode' in event ? (event as { verdict?: Classification }).verdict : refusalOf(event).verdict;
}
/** True for a close for good. Source: protocol, "WebSocket". */
export const isPolicyClose = (closeCode: number): boolean => closeCode === 1008 || (closeCode >= 4400 && closeCode <= 4499);
/** True for answers that say only that a server has no such route. */
export function isRouteMissing({ status, code }: Partial<RefusedAnswer>): boolean {
  return status === 405 || status === 501 || (status === 404 && code !== 'TASK_NOT_FOUND');
}
/** True where a stream was refused: its route may be missing. */
export const isStream = (event: EventObject): boolean => event.type === 'ws.refused' || event.type === 'sse.refused';
/** True for the statuses of a server that is overloaded or down. */
export const isTransient = (status: number): boolean => status === 408 || status === 425 || status === 429 || status >= 500;
/** The rungs below each. */
export const lower = { ws: ['sse', 'poll'], sse: ['poll'], poll: [] } as const satisfies Record<TransportName, readonly TransportName[]>;
