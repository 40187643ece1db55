/** What to connect to. */
export interface SocketRequest {
  /** The task that the socket is to show. */
  readonly taskId: string;
  /** `ws://` or `wss://`. */
  readonly url: string;
  readonly protocols: readonly string[];
  /** Empty where the port cannot send any. */
  readonly headers: Readonly<Record<string, string>>;
  /** Longest frame to take, in bytes. */
  readonly frameBytesMax: number;
  /** Changes of the network so far: a socket that was opened before the last one may be dead, and is not shared. Defaults to 0. */
  readonly networkChanges?: number;
}

/** What a socket tells. After `closed`, `cut` or `refused` it says nothing more. */
export interface SocketListener {
  opened(): void;
  /** A text frame; undefined for a binary one. */
  frame(text: string | undefined): void;
  /** The server sent a Close frame. */
  closed(closeCode: number): void;
  /** Gone without one. */
  cut(): void;
  /** The upgrade was answered with a status, this body and, where it was sent, this `Retry-After`. */
  refused(status: number, body: string, retryAfter: string | undefined): void;
}

/** One open or opening WebSocket. */
export interface Socket {
  send(text: string): void;
  /** Frees everything at once; the listener is told nothing more. */
  close(): void;
}

/** Where WebSockets come from. */
export interface SocketPort {
  /** True where headers can be set on the upgrade; otherwise a token travels as a subprotocol. */
  readonly sendsHeaders: boolean;
  /** Extensions of the protocol that the port makes use of, asked for beside `gap`. Defaults to none. */
  readonly extensions?: readonly string[];
  open(request: SocketRequest, listener: SocketListener): Socket;
}

/** The `readyState` of a WebSocket that is over; its name is missing on some platforms. */
const CLOSED = 3;

/** The constructor that browsers, React Native and newer Nodes have. */
export type WebSocketConstructor = new (url: string, protocols?: string[]) => WebSocket;

/** WebSockets of the platform: they show no status of a refused upgrade and set no headers. */
export function platformSockets(Constructor: WebSocketConstructor): SocketPort {
  return {
    sendsHeaders: false,
    open({ url, protocols }, listener) {
      const socket = new Constructor(url, [...protocols]);
      socket.onopen = () => listener.opened();
      socket.onmessage = ({ data }: MessageEvent<unknown>) => listener.frame(typeof data === 'string' ? data : undefined);
      // Some implementations throw where nobody listens. Where it is closed already no code was given, and not every close is told: a page's
      // policy that forbids the address tells the error only.
      socket.onerror = () => {
        if (socket.readyState !== CLOSED) return;
        detach();
        listener.cut();
      };
      // 1005 is a Close frame without a code; 1006 means that there was none.
      socket.onclose = ({ code }) => {
        detach();
        if (code === 1006) listener.cut();
        else listener.closed(code);
      };
      const detach = (): void => {
        socket.onopen = socket.onmessage = socket.onclose = null;
        socket.onerror = () => undefined;
      };
      return {
        send: (text) => socket.send(text),
        close() {
          detach();
          socket.close(1000);
        },
      };
    },
  };
}
