import type { SocketListener, SocketRequest } from '../transports/socket.ts';

/** What one virtual socket is told; the number is its own within its tab. */
export type SocketMessage =
  | readonly [socket: number, what: 'opened']
  | readonly [socket: number, what: 'frame', text: string | undefined]
  | readonly [socket: number, what: 'closed', closeCode: number]
  /** Between tabs without a cause: not every error can go there. */
  | readonly [socket: number, what: 'cut', cause?: unknown]
  | readonly [socket: number, what: 'refused', status: number, body: string, retryAfter: string | undefined];

/** Puts what a socket says into messages; the one that ends it goes to `end`. */
export function tellMessages(
  socket: number,
  tell: (message: SocketMessage) => void,
  end: (message: SocketMessage) => void,
): SocketListener {
  return {
    opened: () => tell([socket, 'opened']),
    frame: (text) => tell([socket, 'frame', text]),
    closed: (closeCode) => end([socket, 'closed', closeCode]),
    cut: (cause) => end([socket, 'cut', cause]),
    refused: (...answer) => end([socket, 'refused', ...answer]),
  };
}

/** To all tabs. */
export type Announcement =
  /** Who leads: when that begins, and whenever somebody asks. */
  | { readonly type: 'led'; readonly from: string }
  /** It leads no more. */
  | { readonly type: 'resigned'; readonly from: string }
  /** Who leads? */
  | { readonly type: 'who'; readonly from: string };

/** To the leader's inbox. */
export type FollowerRequest =
  | { readonly type: 'open'; readonly from: string; readonly socket: number; readonly request: SocketRequest }
  | { readonly type: 'send'; readonly from: string; readonly socket: number; readonly text: string }
  | { readonly type: 'close'; readonly from: string; readonly socket: number }
  /** Are you there? The sockets are those that the asking tab believes to be open. */
  | { readonly type: 'ask'; readonly from: string; readonly sockets: readonly number[] }
  /** So much of what was told has been taken. */
  | { readonly type: 'taken'; readonly from: string; readonly characters: number }
  | { readonly type: 'left'; readonly from: string };

/** To a follower's inbox. */
export type LeaderReply =
  | { readonly type: 'told'; readonly from: string; readonly words: readonly SocketMessage[]; readonly characters: number }
  /** The leader is there. It knows nothing of these sockets. */
  | { readonly type: 'here'; readonly from: string; readonly gone: readonly number[] };

/** Anything that goes between tabs. */
export type TabMessage = Announcement | FollowerRequest | LeaderReply;

/**
 * Reads what came over a channel; undefined for what is no message. Only tabs of one origin can post there, and those that speak another version
 * use other names: so its type is looked at, and its fields are believed.
 */
export function readMessage(data: unknown): TabMessage | undefined {
  const { type, from } = (data ?? {}) as Partial<TabMessage>;
  return typeof type === 'string' && typeof from === 'string' ? (data as TabMessage) : undefined;
}
