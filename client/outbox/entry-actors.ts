import { createActor, type ActorRefFrom, type AnyActorRef } from 'xstate';
import type { OutboxEntry } from './entry.ts';
import { entryMachine, type EntryEvent } from './entry.machine.ts';

/** The entries of an outbox as running actors, for an inspector to look at. They follow what the store took and decide nothing. */
export interface EntryActors {
  /** Shows what moved an entry, as it was before. */
  feed(before: OutboxEntry, event: EntryEvent): void;
}

/** Starts an actor for each entry at its first move, named after it, beneath that of the outbox. One that is settled is let go of. */
export function createEntryActors(outbox: AnyActorRef): EntryActors {
  const actors = new Map<string, ActorRefFrom<typeof entryMachine>>();
  return {
    feed({ id, state }, event) {
      const known = actors.get(id);
      const snapshot = entryMachine.resolveState({ value: state, context: {} });
      // Another tab may have moved it meanwhile.
      const isCurrent = known?.getSnapshot().value === state;
      if (!isCurrent) known?.stop();
      const actor = isCurrent ? known : createActor(entryMachine, { id: `entries.${id}`, parent: outbox, snapshot }).start();
      actor.send(event);
      if (actor.getSnapshot().status === 'active') actors.set(id, actor);
      else actors.delete(id);
    },
  };
}
