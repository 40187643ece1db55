import { channelPhases } from './channel.phases.ts';
import { createCarrier, type Carrier, type Rider } from './carrier.ts';
import type { SocketPort, SocketRequest } from './socket.ts';

/**
 * The same sockets, but all tasks that are asked for at one address with the same credentials share one, where the server offers it
 * (`extensions=multiplex`): each goes on as if it had a socket of its own. What the server does not let share, and what finds no room,
 * gets one. Used by default; wrap sockets of your own in it.
 */
export function multiplexed(sockets: SocketPort): SocketPort {
  const carriers = new Map<string, Set<Carrier>>();

  function board(rider: Rider): void {
    const key = keyOf(rider.request);
    const known = carriers.get(key) ?? new Set<Carrier>();
    carriers.set(key, known);
    const mayShare = [...known].filter((carrier) => carrier.takes(rider));
    // Where a server was seen to share nothing, nobody waits to hear it again.
    const isAloneHere = [...known].some(({ phase }) => phase === 'alone');
    const carrier = mayShare.find(({ phase }) => phase === 'shared') ?? (isAloneHere ? undefined : mayShare[0]) ?? build();
    carrier.add(rider);

    function build(): Carrier {
      const built = createCarrier(sockets, rider.request, board, () => {
        known.delete(built);
        if (known.size === 0 && carriers.get(key) === known) carriers.delete(key);
      });
      known.add(built);
      return built;
    }
  }

  return {
    sendsHeaders: sockets.sendsHeaders,
    extensions: [...(sockets.extensions ?? []), 'multiplex'],
    open(request, listener) {
      const rider: Rider = { request, listener, phase: channelPhases.initial.to, carrier: undefined };
      board(rider);
      return {
        send: (text) => rider.carrier?.send(text),
        close: () => rider.carrier?.drop(rider),
      };
    },
  };
}

function keyOf({ url, protocols, headers }: SocketRequest): string {
  return JSON.stringify([url, protocols, headers]);
}
