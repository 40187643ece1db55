import { createActor, fromCallback, fromPromise, type ActorRefFrom } from 'xstate';
import { retryDelayMs } from '../../machines/index.ts';
import { LONGEST_TIMER_MS } from '../clock.ts';
import { gateActor } from '../gate-actor.ts';
import { isPending } from './entry.ts';
import type { OutboxSettings } from './options.ts';
import { outboxMachine, type OutboxEvent } from './outbox.machine.ts';
import type { Sender } from './sender.ts';
import type { OutboxRepository } from './outbox-repository.ts';

/** The running chart of an outbox. */
export type OutboxActor = ActorRefFrom<typeof outboxMachine>;

/** Gives the outbox chart its IO, delays and clock. `onTurn` is given each turn of sending. The actor is not started yet. */
export function createOutboxActor(
  { store, gate, locks, clock, chance, limits, inspect }: OutboxSettings,
  repository: OutboxRepository,
  sender: Sender,
  onTurn: (turn: Promise<unknown>) => void,
): OutboxActor {
  const rests = { baseMs: limits.restBaseMs, maxMs: limits.restMaxMs, jitter: 0.2 };
  const claim = (steal: boolean) =>
    fromCallback<OutboxEvent>(({ sendBack }) =>
      locks.claim(
        `taskbridge.outbox.${store.name}`,
        {
          held: () => sendBack({ type: 'lock.held' }),
          lost: () => sendBack({ type: 'lock.lost' }),
          refused: () => sendBack({ type: 'lock.refused' }),
        },
        { steal },
      ),
    );
  const machine = outboxMachine.provide({
    actors: {
      readEntries: fromPromise(async () => {
        await repository.refresh();
        await sender.expire('unsent');
        return { pending: repository.entries.filter(isPending).length };
      }),
      sendNext: fromPromise(({ signal }) => {
        const turn = sender.sendNext(signal);
        onTurn(turn);
        return turn;
      }),
      claimLock: claim(false),
      seizeLock: claim(true),
      watchGate: gateActor<OutboxEvent>(gate),
    },
    delays: {
      restTime: ({ context: { failures, retryAfterMs } }) =>
        Math.max(retryAfterMs, retryDelayMs(rests, Math.max(0, failures - 1), chance.fraction())),
      patience: limits.patienceMs,
      nextExpiry: () => Math.min(sender.nextExpiryMs() ?? LONGEST_TIMER_MS, LONGEST_TIMER_MS),
    },
  });
  return createActor(machine, { id: `outbox/${store.name}`, clock, ...(inspect && { inspect }) });
}
