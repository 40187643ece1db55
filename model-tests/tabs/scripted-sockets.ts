import type { Socket, SocketListener, SocketPort, SocketRequest } from 'taskbridge/client/transports';
import { platformChannels, processLocks, tabSockets, type TabSocketsOptions } from 'taskbridge/client/tabs';
import { onTestFinished } from 'vitest';

/** A socket that a leader opened, and that the test answers. */
export interface UpstreamSocket {
  readonly request: SocketRequest;
  readonly server: SocketListener;
  /** The cursors that were subscribed from. */
  readonly cursors: (string | null)[];
  isClosed: boolean;
}

/** Sockets that connect to the test. */
export function scriptedSockets(): SocketPort & { readonly opened: UpstreamSocket[] } {
  const opened: UpstreamSocket[] = [];
  return {
    sendsHeaders: true,
    opened,
    open(request, server): Socket {
      const socket: UpstreamSocket = { request, server, cursors: [], isClosed: false };
      opened.push(socket);
      return {
        send: (text) => void socket.cursors.push((JSON.parse(text) as { lastEventId?: string }).lastEventId ?? null),
        close: () => void (socket.isClosed = true),
      };
    },
  };
}

/** One virtual socket, and what it was told. */
export interface Virtual extends Socket {
  readonly told: unknown[];
}

export const request = (taskId = 'task-1', more: Partial<SocketRequest> = {}): SocketRequest => ({
  taskId,
  url: 'ws://local/ws',
  protocols: [],
  headers: { authorization: 'Bearer 1' },
  frameBytesMax: 1e6,
  ...more,
});

/** Opens a virtual socket that subscribes from a cursor as soon as it is open. */
export function openVirtual(port: SocketPort, cursor: string | null, asked = request()): Virtual {
  const told: unknown[] = [];
  const socket = port.open(asked, {
    opened() {
      told.push('opened');
      socket.send(JSON.stringify({ action: 'subscribe', taskId: asked.taskId, ...(cursor !== null && { lastEventId: cursor }) }));
    },
    frame: (text) => told.push(text === undefined ? undefined : (JSON.parse(text) as unknown)),
    closed: (closeCode) => told.push(`closed ${closeCode}`),
    cut: () => told.push('cut'),
    refused: (status) => told.push(`refused ${status}`),
  });
  return { ...socket, told };
}

/** Tabs of one browser over the test's sockets. */
export function scriptedTabs(options: Partial<TabSocketsOptions> = {}) {
  const port = scriptedSockets();
  const locks = processLocks();
  return {
    port,
    tab() {
      const sockets = tabSockets({ name: 'ada', sockets: port, locks, channels: platformChannels() ?? null, ...options });
      onTestFinished(() => sockets.close());
      return sockets;
    },
  };
}
