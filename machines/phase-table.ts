/**
 * What one event does in one phase. `nothing`: it may come, and changes nothing. `never`: it cannot come, and says so by name if it does.
 * Otherwise the effects are performed in their order, after the phase has changed.
 */
export type PhaseCell<Phase extends string, Effect extends string> =
  'nothing' | 'never' | { readonly to?: Phase; readonly effects: readonly Effect[] };

/** One phase: what each event does in it. */
export interface PhaseRow<Phase extends string, Event extends string, Effect extends string> {
  /** Its public meaning, for those outside. */
  readonly tags?: readonly string[];
  readonly on: Readonly<Record<Event, PhaseCell<Phase, Effect>>>;
}

/**
 * A chart for a path that is too hot for XState, as data: for each phase and each event a cell, so that one which is forgotten does not
 * compile. Whoever owns it looks cells up and performs their effects; it is drawn and walked as the other charts are. What its phases mean stands
 * beside it, so that a page which runs it does not load what nobody reads there.
 */
export interface PhaseTable<Phase extends string, Event extends string, Effect extends string> {
  readonly id: string;
  /** Where it begins, and what is done then. */
  readonly initial: { readonly to: Phase; readonly effects: readonly Effect[] };
  readonly phases: Readonly<Record<Phase, PhaseRow<Phase, Event, Effect>>>;
}
