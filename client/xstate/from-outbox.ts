import type { ActorLogic, AnyActorRef, Snapshot } from 'xstate';
import { TaskBridgeClientError, type ActRequest, type StartRequest } from '../index.ts';
import type { Outbox, OutboxOutcome, OutboxSnapshot, OutboxState, OutboxTarget } from '../outbox/index.ts';

/** What an actor of an outbox is told: its verbs. */
export type OutboxLogicEvent =
  | { readonly type: 'outbox.start'; readonly request: StartRequest }
  | { readonly type: 'outbox.act'; readonly target: OutboxTarget; readonly request: ActRequest }
  | { readonly type: 'outbox.cancel'; readonly target: OutboxTarget; readonly reason?: string }
  | { readonly type: 'outbox.withdraw'; readonly id: string }
  | { readonly type: 'outbox.dismiss'; readonly id?: string }
  | { readonly type: 'outbox.retry' };

/** What it emits of a command that it was told. */
export type OutboxLogicEmitted =
  /** It is kept, under this id. */
  | { readonly type: 'kept'; readonly id: string; readonly clientRequestId?: string; readonly command: OutboxLogicEvent }
  /** What became of it. */
  | { readonly type: 'settled'; readonly id: string; readonly outcome: OutboxOutcome }
  /** It could not be kept. */
  | { readonly type: 'refused'; readonly code: string; readonly message: string; readonly command: OutboxLogicEvent };

/** An outbox at one moment. It is kept by its own store: of the actor there is nothing to persist. */
export type OutboxLogicSnapshot = Snapshot<undefined> & {
  readonly value: OutboxState;
  readonly context: OutboxSnapshot;
  matches(state: OutboxState): boolean;
};

/** The logic of an actor that is an outbox. */
export type OutboxLogic = ActorLogic<OutboxLogicSnapshot, OutboxLogicEvent, undefined, AnyActorRef['system'], OutboxLogicEmitted>;

type InnerEvent = { readonly type: 'xstate.stop' } | { readonly type: 'outbox.changed' };

/**
 * An outbox as actor logic: it shows what is kept, takes the verbs as events, and is done when the outbox is closed. Stopping it leaves the
 * outbox as it is.
 */
export function fromOutbox(outbox: Outbox): OutboxLogic {
  const subscriptions = new WeakMap<AnyActorRef, () => void>();
  const leave = (self: AnyActorRef): void => {
    subscriptions.get(self)?.();
    subscriptions.delete(self);
  };
  return {
    getInitialSnapshot: () => snapshotOf(outbox),
    getPersistedSnapshot: ({ status, output, error }) => ({ status, output, error }) as Snapshot<unknown>,
    restoreSnapshot: () => snapshotOf(outbox),
    start(_snapshot, { self }) {
      // XState hears its own event by the type that it is sent as.
      subscriptions.set(
        self,
        outbox.subscribe(() => self.send({ type: 'outbox.changed' } as never)),
      );
    },
    transition(snapshot, event: OutboxLogicEvent | InnerEvent, { self, defer, emit }) {
      switch (event.type) {
        case 'xstate.stop':
          leave(self);
          return { ...snapshot, status: 'stopped', output: undefined, error: undefined };
        case 'outbox.changed': {
          const next = snapshotOf(outbox);
          if (next.status === 'done') leave(self);
          return next;
        }
        default:
          if (event.type.startsWith('outbox.')) defer(() => void perform(outbox, event, emit));
          return snapshot;
      }
    },
  };
}

function snapshotOf(outbox: Outbox): OutboxLogicSnapshot {
  const context = outbox.getSnapshot();
  const value = context.state;
  return {
    status: value === 'closed' ? 'done' : 'active',
    output: undefined,
    error: undefined,
    value,
    context,
    matches: (state) => state === value,
  };
}

async function perform(outbox: Outbox, event: OutboxLogicEvent, emit: (emitted: OutboxLogicEmitted) => void): Promise<void> {
  try {
    switch (event.type) {
      case 'outbox.withdraw':
        return void (await outbox.withdraw(event.id));
      case 'outbox.dismiss':
        return await outbox.dismiss(event.id);
      case 'outbox.retry':
        return outbox.retry();
      default: {
        const ticket = await kept(outbox, event);
        const { id } = ticket;
        emit({ type: 'kept', id, ...('clientRequestId' in ticket && { clientRequestId: ticket.clientRequestId }), command: event });
        // Closed first, it is kept, and settled another time.
        const outcome = await ticket.settled().catch(() => undefined);
        if (outcome) emit({ type: 'settled', id, outcome });
      }
    }
  } catch (error) {
    if (!(error instanceof TaskBridgeClientError)) throw error;
    emit({ type: 'refused', code: error.code, message: error.message, command: event });
  }
}

function kept(outbox: Outbox, event: Extract<OutboxLogicEvent, { type: 'outbox.start' | 'outbox.act' | 'outbox.cancel' }>) {
  if (event.type === 'outbox.start') return outbox.start(event.request);
  return event.type === 'outbox.act' ? outbox.act(event.target, event.request) : outbox.cancel(event.target, event.reason);
}
