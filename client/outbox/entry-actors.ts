import { createActor, type ActorRefFrom, type AnyActorRef } from 'xstate';
import { isPending, type OutboxEntry } from './entry.ts';
import { entryMachine, type EntryEvent } from './entry.machine.ts';

/** The entries of an outbox as running actors, for an inspector to look at. They follow what the store took and decide nothing. */
export interface EntryActors {
  /** Shows what moved an entry, as it was before. */
  feed(before: OutboxEntry, event: EntryEvent): void;
  /** Shows what became of entries by another tab, and lets go of what is settled, or gone. */
  compare(entries: readonly OutboxEntry[]): void;
}

type EntryActor = ActorRefFrom<typeof entryMachine>;

/** What settled an entry, by what it is then. */
const settling: Readonly<Partial<Record<OutboxEntry['state'], EntryEvent['type']>>> = {
  done: 'entry.answered',
  refused: 'entry.refused',
  expired: 'entry.aged',
  withdrawn: 'entry.withdrawn',
};

/** Starts an actor for each entry at its first move, named after it, beneath that of the outbox. One that is settled is let go of. */
export function createEntryActors(outbox: AnyActorRef): EntryActors {
  const actors = new Map<string, EntryActor>();
  const tell = (id: string, actor: EntryActor, event: EntryEvent): void => {
    actor.send(event);
    if (actor.getSnapshot().status === 'active') actors.set(id, actor);
    else actors.delete(id);
  };
  return {
    feed({ id, state }, event) {
      const snapshot = entryMachine.resolveState({ value: state, context: {} });
      tell(id, actors.get(id) ?? createActor(entryMachine, { id: `entries.${id}`, parent: outbox, snapshot }).start(), event);
    },
    compare(entries) {
      for (const [id, actor] of actors) {
        const entry = entries.find((one) => one.id === id);
        if (entry && isPending(entry)) continue;
        const type = entry && settling[entry.state];
        if (type) tell(id, actor, { type });
        // Nobody knows what it was when it was dismissed. So XState stops what is beneath another.
        else if (actors.delete(id)) actor.send({ type: 'xstate.stop' } as never);
      }
    },
  };
}
