import type * as z from 'zod/mini';
import type { EventId } from './event-id.ts';
import type { payloads } from './payloads.ts';

/**
 * What each type of fact moves: the `task` alone, the `suspension` too that its payload names, or everything to its `end`. This is the one
 * list of the types, in the order in which a task may meet them. Their schemas are in `payloads`, which a bundle may leave out.
 */
export const factScope = {
  TASK_STARTED: 'task',
  TASK_PROGRESS: 'task',
  TASK_MESSAGE: 'task',
  TASK_PART_OPENED: 'task',
  TASK_PART_CLOSED: 'task',
  TASK_SUSPENDED: 'suspension',
  TASK_ACTION_ACCEPTED: 'suspension',
  TASK_SUSPENSION_CLOSED: 'suspension',
  TASK_CANCEL_REQUESTED: 'task',
  TASK_COMPLETED: 'end',
  TASK_FAILED: 'end',
  TASK_CANCELLED: 'end',
} as const satisfies { readonly [T in keyof typeof payloads]: 'task' | 'suspension' | 'end' };

/** The types of the facts of a task's log. */
export type FactType = keyof typeof payloads;
/** What a type of fact moves, see {@link factScope}. */
export type FactScope = (typeof factScope)[FactType];
/** The types that move one thing. */
type FactTypeOf<S extends FactScope> = { [T in FactType]: (typeof factScope)[T] extends S ? T : never }[FactType];
/** The types after which nothing follows. */
export type TerminalFactType = FactTypeOf<'end'>;
/** The types that are about one suspension, which their payload names. */
export type SuspensionFactType = FactTypeOf<'suspension'>;
/** The payload of one type of fact. */
export type FactPayload<T extends FactType = FactType> = z.infer<(typeof payloads)[T]>;

/** All types of facts, in the order of `factScope`. */
// The keys of a literal are its type's.
export const factTypes = Object.keys(factScope) as readonly FactType[];

/** A fact before it is written: without id and time. */
export type FactBody<T extends FactType = FactType> = { [K in T]: { readonly type: K; readonly payload: FactPayload<K> } }[T];

/** The envelope that every fact travels in, with exactly these five fields. */
export interface Envelope {
  readonly taskId: string;
  readonly eventId: EventId;
  /** RFC 3339, UTC. */
  readonly createdAt: string;
}

/** One fact of a task's log, as it goes over the wire. */
export type Fact<T extends FactType = FactType> = { [K in T]: FactBody<K> & Envelope }[T];

/**
 * A type that this version does not know. Any text: the pattern is for the compiler alone, so that `fact.type === 'TASK_SUSPENDED'` leaves nothing but
 * facts of that type. To compare with a type of another version, take it as a string: `const type: string = fact.type`.
 */
export type UnknownFactType = `${string} (unknown)`;

/** A fact of a type that this version does not know; passed on to consumers, ignored by the charts. */
export interface UnknownFact extends Envelope {
  readonly type: UnknownFactType;
  readonly payload: { readonly [key: string]: unknown };
}

/** True for the types of facts that this version knows. */
export function isFactType(type: string): type is FactType {
  return (factTypes as readonly string[]).includes(type);
}

/** True for the types that end a log. */
export function isTerminalType(type: string): type is TerminalFactType {
  return isFactType(type) && factScope[type] === 'end';
}

/** True for the types that are about one suspension. */
export function isSuspensionType(type: string): type is SuspensionFactType {
  return isFactType(type) && factScope[type] === 'suspension';
}

/** Narrows a fact to one whose type this version knows. Its payload may still be odd, where another server wrote it. */
export function isKnownFact(fact: Fact | UnknownFact): fact is Fact {
  return isFactType(fact.type);
}

/** Narrows a fact to one type: `if (isFact(fact, 'TASK_SUSPENDED')) fact.payload.suspendId`. */
export function isFact<T extends FactType>(fact: Fact | UnknownFact, type: T): fact is Extract<Fact, { readonly type: T }> {
  return fact.type === type;
}
