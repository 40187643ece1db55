import type * as z from 'zod/mini';
import type { EventId } from '../event-id.ts';
import type { payloads } from './payloads.ts';

/** All types of facts, in the order in which a task may meet them. Their schemas are in `payloads`, which a bundle may leave out. */
export const factTypes = [
  'TASK_STARTED',
  'TASK_PROGRESS',
  'TASK_MESSAGE',
  'TASK_SUSPENDED',
  'TASK_ACTION_ACCEPTED',
  'TASK_SUSPENSION_CLOSED',
  'TASK_CANCEL_REQUESTED',
  'TASK_COMPLETED',
  'TASK_FAILED',
  'TASK_CANCELLED',
] as const satisfies readonly (keyof typeof payloads)[];
/** The types of the facts of a task's log. */
export type FactType = keyof typeof payloads;
/** The payload of one type of fact. */
export type FactPayload<T extends FactType = FactType> = z.infer<(typeof payloads)[T]>;
/** The three facts after which nothing follows. */
export type TerminalFactType = 'TASK_COMPLETED' | 'TASK_FAILED' | 'TASK_CANCELLED';

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

/** A fact of a type that this version does not know; passed on to consumers, ignored by the charts. */
export interface UnknownFact extends Envelope {
  readonly type: string;
  readonly payload: { readonly [key: string]: unknown };
}

/** True for the types of facts that this version knows. */
export function isFactType(type: string): type is FactType {
  return (factTypes as readonly string[]).includes(type);
}

/** True for the three types that end a log. */
export function isTerminalType(type: string): type is TerminalFactType {
  return type === 'TASK_COMPLETED' || type === 'TASK_FAILED' || type === 'TASK_CANCELLED';
}
