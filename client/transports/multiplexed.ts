import { channelPhases } from './channel.phases.ts';
import { createMultiplexedSocket, type MultiplexedSocket, type SocketChannel } from './multiplexed-socket.ts';
import type { SocketPort, SocketRequest } from './socket.ts';

/**
 * The same sockets, but all tasks that are asked for at one address with the same credentials share one, where the server offers it
 * (`extensions=multiplex`): each goes on as if it had a socket of its own. What the server does not let share, and what finds no room,
 * gets one. Used by default; wrap sockets of your own in it.
 */
export function multiplexed(sockets: SocketPort): SocketPort {
  const socketsByKey = new Map<string, Set<MultiplexedSocket>>();

  function attach(channel: SocketChannel): void {
    const key = keyOf(channel.request);
    const known = socketsByKey.get(key) ?? new Set<MultiplexedSocket>();
    socketsByKey.set(key, known);
    const mayShare = [...known].filter((socket) => socket.takes(channel));
    // Where a server was seen to share nothing, nobody waits to be told so again.
    const isAloneHere = [...known].some(({ phase }) => phase === 'alone');
    const socket = mayShare.find(({ phase }) => phase === 'shared') ?? (isAloneHere ? undefined : mayShare[0]) ?? build();
    socket.add(channel);

    function build(): MultiplexedSocket {
      const built = createMultiplexedSocket(sockets, channel.request, attach, () => {
        known.delete(built);
        if (known.size === 0 && socketsByKey.get(key) === known) socketsByKey.delete(key);
      });
      known.add(built);
      return built;
    }
  }

  return {
    sendsHeaders: sockets.sendsHeaders,
    extensions: [...(sockets.extensions ?? []), 'multiplex'],
    open(request, listener) {
      const channel: SocketChannel = { request, listener, phase: channelPhases.initial.to, socket: undefined };
      attach(channel);
      return {
        send: (text) => channel.socket?.send(text),
        close: () => channel.socket?.remove(channel),
      };
    },
  };
}

function keyOf({ url, protocols, headers, networkChanges = 0 }: SocketRequest): string {
  return JSON.stringify([url, protocols, headers, networkChanges]);
}
