import type { FactPayload, JsonObject } from '../../machines/wire/index.ts';

/** A question as work asks it, under a key. The suspend id comes from the task and the key: work that is run again does not ask twice. */
export interface Question {
  /** Defaults to `USER_ACTION_REQUIRED`. */
  readonly kind?: FactPayload<'TASK_SUSPENDED'>['kind'];
  /** Why the task waits, for programs: `DUPLICATE_ROWS`. */
  readonly reasonCode: string;
  /** The action types that answer it, at least one. */
  readonly allowedActions: readonly string[];
  /** Version of the shape of `interaction` and of the answers' payload. Defaults to 1. */
  readonly schemaVersion?: number;
  /** The question expires that many milliseconds after it was asked, by the store's clock. Defaults to never. */
  readonly expiresInMs?: number;
  readonly uiHints?: JsonObject;
  readonly interaction?: JsonObject;
}
