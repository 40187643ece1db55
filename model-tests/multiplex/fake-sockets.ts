import { multiplexed, type Socket, type SocketListener, type SocketPort, type SocketRequest } from 'taskbridge/client/transports';

/** A socket whose other end is the test. */
export interface FakeSocket {
  readonly request: SocketRequest;
  readonly listener: SocketListener;
  /** What was sent, each as `+task` or `-task`. */
  readonly sent: string[];
  isClosed: boolean;
  /** The server sends a frame. */
  say(type: string, taskId: string, more?: object): void;
  grant(): void;
}

/** A port without a network. */
export interface FakeSockets extends SocketPort {
  readonly all: readonly FakeSocket[];
  /** The nth that was opened. */
  nth(index: number): FakeSocket;
}

export function fakeSockets(): FakeSockets {
  const all: FakeSocket[] = [];
  return {
    sendsHeaders: true,
    all,
    nth(index) {
      const found = all[index];
      if (!found) throw new Error(`Only ${all.length} sockets were opened.`);
      return found;
    },
    open(request, listener) {
      const say = (type: string, taskId: string, more: object = {}): void => listener.frame(JSON.stringify({ type, taskId, ...more }));
      const fake: FakeSocket = {
        request,
        listener,
        sent: [],
        isClosed: false,
        say,
        grant: () => listener.frame(JSON.stringify({ type: 'EXTENSIONS_GRANTED', extensions: ['gap', 'multiplex'] })),
      };
      all.push(fake);
      return {
        send(text) {
          if (fake.isClosed) throw new Error('Sent on a socket that was closed.');
          const { action, taskId } = JSON.parse(text) as { action: string; taskId: string };
          fake.sent.push(`${action === 'subscribe' ? '+' : '-'}${taskId}`);
        },
        close: () => void (fake.isClosed = true),
      };
    },
  };
}

/** One task that asked for a socket, and all that it heard. */
export interface FakeChannel {
  readonly heard: readonly string[];
  readonly socket: Socket;
}

/** Subscribes as soon as it may, as the client does. */
export function fakeChannelsOf(port: SocketPort): (taskId: string, more?: Partial<SocketRequest>) => FakeChannel {
  const shared = multiplexed(port);
  return (taskId, more = {}) => {
    const heard: string[] = [];
    const request = { taskId, url: 'ws://host/ws', protocols: [], headers: { authorization: 'a' }, frameBytesMax: 1_000, ...more };
    const socket = shared.open(request, {
      opened() {
        heard.push('opened');
        socket.send(JSON.stringify({ action: 'subscribe', taskId }));
      },
      frame: (text) => void heard.push(typeof text === 'string' ? `frame ${nameOf(text)}` : 'binary'),
      closed: (code) => void heard.push(`closed ${code}`),
      cut: () => void heard.push('cut'),
      refused: (status, body, retryAfter) => void heard.push(`refused ${status} ${body} ${retryAfter}`),
    });
    return { heard, socket };
  };
}

function nameOf(text: string): string {
  try {
    const { type, eventId } = JSON.parse(text) as { type?: string; eventId?: string };
    return eventId ?? type ?? text;
  } catch {
    return text;
  }
}
