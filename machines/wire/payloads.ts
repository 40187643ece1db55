import * as z from 'zod/mini';
import { limits } from './limits.ts';
import type { FactType } from './facts.ts';
import { jsonObject, jsonValue, text, textId } from './json.ts';
import { partClosed, partOpened } from './parts.ts';

const note = text(limits.noteCharactersMax);
/** An RFC 3339 time in UTC, ending in `Z`. */
export const timestamp = z.iso.datetime();

/** Why a task stops and waits. A closed set: published clients fail on a new value. */
export const suspensionKinds = ['USER_ACTION_REQUIRED', 'EXTERNAL_CONFIRMATION_PENDING', 'SYSTEM_PAUSED'] as const;
/** Levels of a message, also a closed set. */
export const messageLevels = ['info', 'warning', 'debug'] as const;

/**
 * The payload of each fact, strictly as the protocol has it. The server checks every fact against it before it is appended; clients read
 * leniently. Source: protocol, "Facts".
 */
export const payloads = {
  TASK_STARTED: z.strictObject({ message: z.optional(note) }),
  TASK_PROGRESS: z.strictObject({
    progress: z.number().check(z.minimum(0), z.maximum(100)),
    stage: z.optional(text(limits.stageCharactersMax)),
    message: z.optional(note),
  }),
  TASK_MESSAGE: z.strictObject({ message: text(limits.factBytesMax), level: z.optional(z.enum(messageLevels)) }),
  TASK_PART_OPENED: partOpened,
  TASK_PART_CLOSED: partClosed,
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
