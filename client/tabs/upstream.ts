import { isPolicyClose } from '../../machines/index.ts';
import { compareEventIds, parseEventId } from '../../machines/wire/index.ts';
import type { Socket, SocketListener, SocketPort, SocketRequest } from '../transports/socket.ts';
import { readCursor, readFrameHead, type FrameHead } from './frame-head.ts';
import type { SocketCredentials } from './credential-cache.ts';

/** One virtual socket, as the leader sees it. */
export interface UpstreamSocket {
  readonly request: SocketRequest;
  /** `waiting` for its socket, `opened`, `subscribed`, `confirmed`. */
  stage: 'waiting' | 'opened' | 'subscribed' | 'confirmed';
  /** The newest fact that it was given or had before; null for none. */
  position: string | null;
  opened(): void;
  frame(text: string | undefined): void;
  closed(closeCode: number): void;
  cut(): void;
  refused(status: number, body: string, retryAfter: string | undefined): void;
}

/** The one connection of all tabs to one task. */
export interface Upstream {
  readonly credentials: SocketCredentials;
  readonly isEmpty: boolean;
  add(virtual: UpstreamSocket): void;
  /** What a virtual sends. False where its cursor cannot be compared with the others': it needs an upstream of its own. */
  send(virtual: UpstreamSocket, text: string): boolean;
  remove(virtual: UpstreamSocket): void;
  /** Connects anew, with other credentials, from where the virtuals are. */
  renew(credentials: SocketCredentials): void;
  close(): void;
}

/** Told by an upstream of itself. */
export interface UpstreamListener {
  /** Nothing comes any more; `isRefused` where the server would not have it with these credentials. */
  over(isRefused: boolean): void;
}

/**
 * Opens a socket for the first virtual. Riders of different cursors share it: it goes back to the oldest of them, and each is given only what it
 * does not have.
 */
export function createUpstream(
  sockets: SocketPort,
  first: SocketRequest,
  credentials: SocketCredentials,
  listener: UpstreamListener,
): Upstream {
  return new SharedUpstream(sockets, first, credentials, listener);
}

/** What is known of a subscription. */
interface Subscription {
  /** Where it began. */
  readonly cursor: string | null;
  /** How far it came. */
  reached: string | null;
}

class SharedUpstream implements Upstream {
  readonly #sockets: SocketPort;
  readonly #first: SocketRequest;
  readonly #listener: UpstreamListener;
  readonly #virtuals = new Set<UpstreamSocket>();
  #credentials: SocketCredentials;
  #socket: Socket;
  #isOpen = false;
  #begun: Subscription | undefined;
  #confirmation: FrameHead['whole'];
  /** Told since the subscription began, before its first fact. */
  #gap: string | undefined;
  /** Since the subscription began: of which history its ids are. */
  #history: 'known' | 'replaced' = 'known';

  constructor(sockets: SocketPort, first: SocketRequest, credentials: SocketCredentials, listener: UpstreamListener) {
    this.#sockets = sockets;
    this.#first = first;
    this.#listener = listener;
    this.#credentials = credentials;
    this.#socket = this.#connect();
  }

  get credentials(): SocketCredentials {
    return this.#credentials;
  }
  get isEmpty(): boolean {
    return this.#virtuals.size === 0;
  }

  add(virtual: UpstreamSocket): void {
    this.#virtuals.add(virtual);
    if (this.#isOpen) open(virtual);
  }

  send(virtual: UpstreamSocket, text: string): boolean {
    const begun = this.#begun;
    const cursor = readCursor(text);
    if (cursor === undefined) return true;
    if (begun && !isComparable(cursor, begun.reached)) return false;
    // Only the server can tell of which history a cursor is that lies ahead.
    if (begun && this.#history === 'replaced' && cursor !== null && isOlder(begun.reached, cursor)) return false;
    virtual.position = cursor;
    virtual.stage = 'subscribed';
    // The oldest cursor is looked for when the socket is open.
    if (!this.#isOpen) return true;
    if (!begun) this.#subscribe(cursor);
    else if (isOlder(cursor, begun.reached)) this.#reconnect();
    else this.#welcome(virtual);
    return true;
  }

  remove(virtual: UpstreamSocket): void {
    this.#virtuals.delete(virtual);
  }

  renew(credentials: SocketCredentials): void {
    this.#credentials = credentials;
    this.#reconnect();
  }

  close(): void {
    this.#socket.close();
  }

  #connect(): Socket {
    return this.#sockets.open(
      { ...this.#first, ...this.#credentials },
      {
        opened: () => {
          this.#isOpen = true;
          for (const virtual of [...this.#virtuals]) if (virtual.stage === 'waiting') open(virtual);
          const waiting = this.#subscribed();
          if (!this.#begun && waiting.length > 0) this.#subscribe(oldest(waiting));
        },
        frame: (text) => this.#take(text),
        closed: (closeCode) => this.#end(isPolicyClose(closeCode), (virtual) => virtual.closed(closeCode)),
        // A browser shows no status of a refused upgrade: it may have been the credentials.
        cut: () => this.#end(!this.#isOpen, (virtual) => virtual.cut()),
        refused: (status, body, retryAfter) => this.#end(status === 401, (virtual) => virtual.refused(status, body, retryAfter)),
      },
    );
  }

  #reconnect(): void {
    // Shared sockets close with the last task on them: another one, which never asks for anything, keeps it open in between.
    const between = this.#sockets.extensions?.includes('multiplex')
      ? this.#sockets.open({ ...this.#first, ...this.#credentials, taskId: '' }, nobody)
      : undefined;
    this.#socket.close();
    this.#isOpen = false;
    this.#begun = this.#confirmation = this.#gap = undefined;
    this.#history = 'known';
    this.#socket = this.#connect();
    between?.close();
  }

  #subscribe(cursor: string | null): void {
    this.#begun = { cursor, reached: cursor };
    const { taskId } = this.#first;
    this.#socket.send(JSON.stringify({ action: 'subscribe', taskId, ...(cursor !== null && { lastEventId: cursor }) }));
  }

  #subscribed(): UpstreamSocket[] {
    return [...this.#virtuals].filter(({ stage }) => stage === 'subscribed' || stage === 'confirmed');
  }

  /** Confirms a virtual that stands where the subscription is, or further. */
  #welcome(virtual: UpstreamSocket): void {
    if (!this.#confirmation || virtual.stage !== 'subscribed') return;
    virtual.stage = 'confirmed';
    virtual.frame(JSON.stringify({ ...this.#confirmation, replayStartedAfterEventId: virtual.position }));
    if (this.#gap !== undefined && virtual.position === this.#begun?.cursor) tellGap(virtual, this.#gap);
  }

  #take(text: string | undefined): void {
    const all = this.#subscribed();
    if (text === undefined) return all.forEach((virtual) => virtual.frame(undefined));
    const head = readFrameHead(text);
    const { type, eventId } = head;
    if (type === 'SUBSCRIPTION_CONFIRMED') {
      this.#confirmation = head.whole;
      for (const virtual of all) this.#welcome(virtual);
    } else if (type === 'GAP') this.#takeGap(head, text, all);
    else if (eventId === undefined || type === 'HEARTBEAT') all.forEach((virtual) => virtual.frame(text));
    else {
      this.#gap = undefined;
      if (this.#begun) this.#begun.reached = eventId;
      for (const virtual of all) this.#deliver(virtual, eventId, text);
    }
  }

  #takeGap(head: FrameHead, text: string, all: readonly UpstreamSocket[]): void {
    this.#gap = text;
    if (isReset(head)) this.#history = 'replaced';
    for (const virtual of all)
      if (this.#concerns(head, virtual)) tellGap(virtual, text);
      else if (isReset(head)) this.#askAlone(virtual);
  }

  /** A gap is about the cursor that was asked from; of a trimmed log also about others before its first fact. */
  #concerns({ whole }: FrameHead, { position }: UpstreamSocket): boolean {
    if (position === (this.#begun?.cursor ?? null)) return true;
    const firstKept = typeof whole?.['firstEventId'] === 'string' ? parseEventId(whole['firstEventId']) : undefined;
    const at = position === null ? undefined : parseEventId(position);
    return whole?.['reason'] === 'trimmed' && firstKept !== undefined && at !== undefined && at.n < firstKept.n - 1;
  }

  #deliver(virtual: UpstreamSocket, eventId: string, text: string): void {
    const { position } = virtual;
    if (position !== null && position !== eventId && parseEventId(position)?.n === parseEventId(eventId)?.n && parseEventId(eventId)) {
      // The same place with another time: its history was replaced. Alone it would have been told so.
      this.#askAlone(virtual);
    } else if (position === null || (compareEventIds(eventId, position) ?? 1) > 0) {
      virtual.position = eventId;
      virtual.frame(text);
    }
  }

  /** It comes back with its cursor, and is told what is true of that. */
  #askAlone(virtual: UpstreamSocket): void {
    this.#virtuals.delete(virtual);
    virtual.cut();
  }

  #end(isRefused: boolean, tell: (virtual: UpstreamSocket) => void): void {
    const all = [...this.#virtuals];
    this.#virtuals.clear();
    this.#listener.over(isRefused);
    for (const virtual of all) tell(virtual);
  }
}

function open(virtual: UpstreamSocket): void {
  virtual.stage = 'opened';
  virtual.opened();
}

function tellGap(virtual: UpstreamSocket, text: string): void {
  if (isReset(readFrameHead(text))) virtual.position = null;
  virtual.frame(text);
}

const nothing = (): void => undefined;
const nobody: SocketListener = { opened: nothing, frame: nothing, closed: nothing, cut: nothing, refused: nothing };

const isReset = ({ whole }: FrameHead): boolean => whole?.['reason'] === 'reset';

function isComparable(a: string | null, b: string | null): boolean {
  return a === null || b === null || compareEventIds(a, b) !== undefined;
}

/** True where `a` needs facts that `b` is already beyond. */
function isOlder(a: string | null, b: string | null): boolean {
  if (a === b || b === null) return false;
  return a === null || (compareEventIds(a, b) ?? 0) < 0;
}

function oldest(virtuals: readonly UpstreamSocket[]): string | null {
  return virtuals.reduce<string | null>((least, { position }, index) => (index === 0 || isOlder(position, least) ? position : least), null);
}
