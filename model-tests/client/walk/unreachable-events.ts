/** Why an event is not heard in a value of all charts, whatever the world does. */
export interface UnreachableEvent {
  /** `chart event`. */
  readonly events: RegExp;
  /** The values, as JSON. */
  readonly values: RegExp;
  readonly why: string;
}

/** What a chart would take, and no client is ever told. */
export const unreachableEvents: readonly UnreachableEvent[] = [];
