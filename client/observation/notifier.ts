import { createActor, fromTransition, type ActorRefFrom } from 'xstate';
import type { ObservationSnapshot } from './snapshot.ts';

interface ChangedEvent {
  readonly type: 'observation.changed';
  readonly snapshot: ObservationSnapshot;
}
const logic = fromTransition(
  // A stopped actor is told of it by an event of XState's own.
  (known: ObservationSnapshot, event: ChangedEvent) => (event.type === 'observation.changed' ? event.snapshot : known),
  ({ input }: { input: ObservationSnapshot }) => input,
);
/** A live XState actor whose snapshot's `context` is an {@link ObservationSnapshot}. */
export type ObservationActor = ActorRefFrom<typeof logic>;

/** What subscribers are notified with. */
export interface NotifierDeps {
  readonly taskId: string;
  /** What is to be seen now: the snapshot from before, where it says the same. */
  readonly read: (before?: ObservationSnapshot) => ObservationSnapshot;
  /** Called once for all that one turn has changed; is to `publish`. */
  readonly notify: () => void;
}

/** What subscribers are shown, and when. */
export interface Notifier {
  readonly actor: ObservationActor;
  /** True where something has changed since the last notification. */
  readonly isDue: boolean;
  /** The same object until something changed. */
  getSnapshot(): ObservationSnapshot;
  changed(): void;
  /** Shows subscribers what there is, where that is something else than before; false where the actor was stopped. */
  publish(): boolean;
}

/** Starts an actor that shows what is to be seen now. */
export function createNotifier({ taskId, read, notify }: NotifierDeps): Notifier {
  let snapshot = read();
  let isStale = false;
  let isDue = false;
  const actor = createActor(logic, { id: `${taskId}/observation`, input: snapshot }).start();

  function getSnapshot(): ObservationSnapshot {
    if (isStale) snapshot = read(snapshot);
    isStale = false;
    return snapshot;
  }

  return {
    actor,
    get isDue() {
      return isDue;
    },
    getSnapshot,
    changed() {
      isStale = true;
      if (isDue) return;
      isDue = true;
      // A transport tells its chart of what came a microtask later: that is of the same batch.
      queueMicrotask(() =>
        queueMicrotask(() => {
          isDue = false;
          notify();
        }),
      );
    },
    publish() {
      const { status, context } = actor.getSnapshot();
      if (status !== 'active') return false;
      const now = getSnapshot();
      if (now !== context) actor.send({ type: 'observation.changed', snapshot: now });
      return true;
    },
  };
}
