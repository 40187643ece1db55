import * as z from 'zod/mini';
import type { EventId } from '../event-id.ts';
import { limits } from '../limits.ts';
import { jsonObject, jsonValue, text, textId } from './json.ts';

const note = text(limits.noteCharactersMax);
/** An RFC 3339 time in UTC, ending in `Z`. */
export const timestamp = z.iso.datetime();

/** Why a task stops and waits. A closed set: published clients fail on a new value. */
export const suspensionKinds = ['USER_ACTION_REQUIRED', 'EXTERNAL_CONFIRMATION_PENDING', 'SYSTEM_PAUSED'] as const;
/** Levels of a message, also a closed set. */
export const messageLevels = ['info', 'warning', 'debug'] as const;

/**
 * The payload of each fact, strictly as the protocol has it. The server checks every fact against it before it is appended; clients read
 * leniently. Source: protocol, "Events".
 */
export const payloads = {
  TASK_STARTED: z.strictObject({ message: z.optional(note) }),
  TASK_PROGRESS: z.strictObject({
    progress: z.number().check(z.minimum(0), z.maximum(100)),
    stage: z.optional(text(limits.stageCharactersMax)),
    message: z.optional(note),
  }),
  TASK_MESSAGE: z.strictObject({ message: text(limits.factBytesMax), level: z.optional(z.enum(messageLevels)) }),
  TASK_SUSPENDED: z.strictObject({
    suspendId: textId,
    kind: z.enum(suspensionKinds),
    reasonCode: textId,
    allowedActions: z.array(textId).check(z.minLength(1), z.maxLength(64)),
    schemaVersion: z.int().check(z.minimum(1)),
    expiresAt: z.optional(timestamp),
    uiHints: z.optional(jsonObject),
    interaction: z.optional(jsonObject),
  }),
  TASK_ACTION_ACCEPTED: z.strictObject({
    suspendId: textId,
    clientActionId: textId,
    actionType: textId,
    acceptedAt: timestamp,
    message: z.optional(note),
  }),
  TASK_SUSPENSION_CLOSED: z.strictObject({ suspendId: textId, outcome: z.enum(['EXPIRED', 'CANCELLED']) }),
  TASK_CANCEL_REQUESTED: z.strictObject({ reason: z.optional(note) }),
  TASK_COMPLETED: z.looseObject({ result: jsonValue }),
  TASK_FAILED: z.strictObject({ code: textId, message: note, retryable: z.boolean() }),
  TASK_CANCELLED: z.strictObject({ reason: note, message: z.optional(note) }),
} as const;

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

/** All types of facts, in the order in which a task may meet them. */
export const factTypes = Object.keys(payloads) as FactType[];

/** True for the types of facts that this version knows. */
export function isFactType(type: string): type is FactType {
  return Object.hasOwn(payloads, type);
}

/** True for the three types that end a log. */
export function isTerminalType(type: string): type is TerminalFactType {
  return type === 'TASK_COMPLETED' || type === 'TASK_FAILED' || type === 'TASK_CANCELLED';
}

/** The largest facts aside, the schema of one fact: its own type, its own payload, the common envelope. */
export function factSchema<T extends FactType>(type: T) {
  return z.strictObject({
    type: z.literal(type),
    taskId: textId,
    eventId: textId,
    createdAt: timestamp,
    payload: payloads[type],
  });
}
