import { fromCallback, type CallbackActorLogic, type EventObject } from 'xstate';
import type { Gate } from './gate.ts';

/** Watches a gate for a chart, which is told at once how it is, then each change: `gate.opened`, `gate.closed`. */
export function gateActor<E extends EventObject>(gate: Gate): CallbackActorLogic<E> {
  return fromCallback(({ sendBack }) => {
    const tell = (open: boolean): void => sendBack({ type: open ? 'gate.opened' : 'gate.closed' });
    tell(gate.isOpen());
    return gate.subscribe(tell);
  });
}
