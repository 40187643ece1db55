import type { Channel, ChannelPort } from './channels.ts';
import type { SocketBackend } from './virtual-sockets.ts';
import { readMessage, type Announcement, type TabMessage, type FollowerRequest } from './messages.ts';

/** How one tab talks to the others. */
export interface BroadcastTransport {
  /** Receives what is for all and what is for this tab; returns what ends that. */
  open(receive: (message: TabMessage) => void): () => void;
  /** Says something to all others. */
  announce(type: Announcement['type']): void;
  /** The inbox of another tab. */
  inboxOf(tab: string): Channel;
}

/** Opens no channel yet. `name` is that of all tabs together. */
export function createBroadcastTransport(name: string, self: string, channels: ChannelPort | undefined): BroadcastTransport {
  let all: Channel | undefined;
  const inboxNameOf = (tab: string): string => `${name}/${tab}`;
  return {
    open(receive) {
      const read = (data: unknown): void => {
        const message = readMessage(data);
        if (message) receive(message);
      };
      all = channels?.open(name, read);
      const inbox = channels?.open(inboxNameOf(self), read);
      return () => {
        all?.close();
        inbox?.close();
        all = undefined;
      };
    },
    announce: (type) => all?.post({ type, from: self }),
    // Only the owner listens there.
    inboxOf: (tab) => channels?.open(inboxNameOf(tab), () => undefined) ?? { post: () => undefined, close: () => undefined },
  };
}

/** The backend of a tab that follows. */
export interface LeaderBackend extends SocketBackend {
  readonly leader: string;
  /** Asks whether the leader is there, and knows these sockets. */
  ask(sockets: readonly number[]): void;
  /** Says that so much was taken. */
  taken(characters: number): void;
}

/** Goes to a leader by its inbox. */
export function createLeaderBackend(self: string, leader: string, inbox: Channel): LeaderBackend {
  const post = (request: FollowerRequest): void => inbox.post(request);
  return {
    leader,
    open: (socket, request) => post({ type: 'open', from: self, socket, request }),
    send: (socket, text) => post({ type: 'send', from: self, socket, text }),
    close: (socket) => post({ type: 'close', from: self, socket }),
    ask: (sockets) => post({ type: 'ask', from: self, sockets }),
    taken: (characters) => post({ type: 'taken', from: self, characters }),
    leave() {
      post({ type: 'left', from: self });
      inbox.close();
    },
  };
}
