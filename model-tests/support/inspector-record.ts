import type { InspectionEvent } from 'xstate';

/** That an actor was made, or what it was told. */
export interface SeenActor {
  readonly id: string;
  readonly parent: string | undefined;
  readonly type: '@xstate.actor' | '@xstate.event';
  /** Of one that was made, `made`. */
  readonly event: { readonly type: string; readonly source?: string; readonly refusal?: string; readonly order?: object };
}

/** An inspector that notes which actors there are and what each is told, but what XState tells them itself. */
export function seenActors() {
  const seen: SeenActor[] = [];
  const inspect = (inspected: InspectionEvent): void => {
    if (inspected.type !== '@xstate.event' && inspected.type !== '@xstate.actor') return;
    // Every actor of ours has an id.
    const { id, _parent } = inspected.actorRef as typeof inspected.actorRef & {
      readonly id: string;
      readonly _parent?: { readonly id: string };
    };
    const event = inspected.type === '@xstate.event' ? inspected.event : { type: 'made' };
    if (!event.type.startsWith('xstate.')) seen.push({ id, parent: _parent?.id, type: inspected.type, event });
  };
  const toldTo = (id: string): string[] =>
    seen.filter((one) => one.id === id && one.type === '@xstate.event').map(({ event }) => event.type);
  return { seen, inspect, toldTo };
}
