import { compareEventIds, isPolicyClose, parseEventId } from '../../machines/index.ts';
import type { Socket, SocketListener, SocketPort, SocketRequest } from '../transports/socket.ts';
import { readCursor, readHead, type FrameHead } from './frame-head.ts';
import type { Pass } from './passes.ts';

/** One virtual socket, as the leader sees it. */
export interface Rider {
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
  readonly pass: Pass;
  readonly isEmpty: boolean;
  add(rider: Rider): void;
  /** What a rider sends. False where its cursor cannot be compared with the others': it needs an upstream of its own. */
  send(rider: Rider, text: string): boolean;
  remove(rider: Rider): void;
  /** Connects anew, with other credentials, from where the riders are. */
  renew(pass: Pass): void;
  close(): void;
}

/** Told by an upstream of itself. */
export interface UpstreamListener {
  /** Nothing comes any more; `isRefused` where the server would not have it with these credentials. */
  over(isRefused: boolean): void;
}

/**
 * Opens a socket for the first rider. Riders of different cursors share it: it goes back to the oldest of them, and each is given only what it
 * does not have.
 */
export function createUpstream(sockets: SocketPort, first: SocketRequest, pass: Pass, listener: UpstreamListener): Upstream {
  return new SharedUpstream(sockets, first, pass, listener);
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
  readonly #riders = new Set<Rider>();
  #pass: Pass;
  #socket: Socket;
  #isOpen = false;
  #begun: Subscription | undefined;
  #confirmation: FrameHead['whole'];
  /** Told since the subscription began, before its first fact. */
  #gap: string | undefined;
  /** Since the subscription began: of which history its ids are. */
  #history: 'known' | 'replaced' = 'known';

  constructor(sockets: SocketPort, first: SocketRequest, pass: Pass, listener: UpstreamListener) {
    this.#sockets = sockets;
    this.#first = first;
    this.#listener = listener;
    this.#pass = pass;
    this.#socket = this.#connect();
  }

  get pass(): Pass {
    return this.#pass;
  }
  get isEmpty(): boolean {
    return this.#riders.size === 0;
  }

  add(rider: Rider): void {
    this.#riders.add(rider);
    if (this.#isOpen) open(rider);
  }

  send(rider: Rider, text: string): boolean {
    const begun = this.#begun;
    const cursor = readCursor(text);
    if (cursor === undefined) return true;
    if (begun && !isComparable(cursor, begun.reached)) return false;
    // Only the server can tell of which history a cursor is that lies ahead.
    if (begun && this.#history === 'replaced' && cursor !== null && isOlder(begun.reached, cursor)) return false;
    rider.position = cursor;
    rider.stage = 'subscribed';
    // The oldest cursor is looked for when the socket is open.
    if (!this.#isOpen) return true;
    if (!begun) this.#subscribe(cursor);
    else if (isOlder(cursor, begun.reached)) this.#reconnect();
    else this.#welcome(rider);
    return true;
  }

  remove(rider: Rider): void {
    this.#riders.delete(rider);
  }

  renew(pass: Pass): void {
    this.#pass = pass;
    this.#reconnect();
  }

  close(): void {
    this.#socket.close();
  }

  #connect(): Socket {
    return this.#sockets.open(
      { ...this.#first, ...this.#pass },
      {
        opened: () => {
          this.#isOpen = true;
          for (const rider of [...this.#riders]) if (rider.stage === 'waiting') open(rider);
          const waiting = this.#subscribed();
          if (!this.#begun && waiting.length > 0) this.#subscribe(oldest(waiting));
        },
        frame: (text) => this.#take(text),
        closed: (closeCode) => this.#end(isPolicyClose(closeCode), (rider) => rider.closed(closeCode)),
        // A browser shows no status of a refused upgrade: it may have been the credentials.
        cut: () => this.#end(!this.#isOpen, (rider) => rider.cut()),
        refused: (status, body, retryAfter) => this.#end(status === 401, (rider) => rider.refused(status, body, retryAfter)),
      },
    );
  }

  #reconnect(): void {
    // Shared sockets close with the last task on them: another one, which never asks for anything, keeps it open in between.
    const between = this.#sockets.extensions?.includes('multiplex')
      ? this.#sockets.open({ ...this.#first, ...this.#pass, taskId: '' }, nobody)
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

  #subscribed(): Rider[] {
    return [...this.#riders].filter(({ stage }) => stage === 'subscribed' || stage === 'confirmed');
  }

  /** Confirms a rider that stands where the subscription is, or further. */
  #welcome(rider: Rider): void {
    if (!this.#confirmation || rider.stage !== 'subscribed') return;
    rider.stage = 'confirmed';
    rider.frame(JSON.stringify({ ...this.#confirmation, replayStartedAfterEventId: rider.position }));
    if (this.#gap !== undefined && rider.position === this.#begun?.cursor) tellGap(rider, this.#gap);
  }

  #take(text: string | undefined): void {
    const all = this.#subscribed();
    if (text === undefined) return all.forEach((rider) => rider.frame(undefined));
    const head = readHead(text);
    const { type, eventId } = head;
    if (type === 'SUBSCRIPTION_CONFIRMED') {
      this.#confirmation = head.whole;
      for (const rider of all) this.#welcome(rider);
    } else if (type === 'GAP') this.#takeGap(head, text, all);
    else if (eventId === undefined || type === 'HEARTBEAT') all.forEach((rider) => rider.frame(text));
    else {
      this.#gap = undefined;
      if (this.#begun) this.#begun.reached = eventId;
      for (const rider of all) this.#deliver(rider, eventId, text);
    }
  }

  #takeGap(head: FrameHead, text: string, all: readonly Rider[]): void {
    this.#gap = text;
    if (isReset(head)) this.#history = 'replaced';
    for (const rider of all)
      if (this.#concerns(head, rider)) tellGap(rider, text);
      else if (isReset(head)) this.#askAlone(rider);
  }

  /** A gap is about the cursor that was asked from; of a trimmed log also about others before its first fact. */
  #concerns({ whole }: FrameHead, { position }: Rider): boolean {
    if (position === (this.#begun?.cursor ?? null)) return true;
    const firstKept = typeof whole?.['firstEventId'] === 'string' ? parseEventId(whole['firstEventId']) : undefined;
    const at = position === null ? undefined : parseEventId(position);
    return whole?.['reason'] === 'trimmed' && firstKept !== undefined && at !== undefined && at.n < firstKept.n - 1;
  }

  #deliver(rider: Rider, eventId: string, text: string): void {
    const { position } = rider;
    if (position !== null && position !== eventId && parseEventId(position)?.n === parseEventId(eventId)?.n && parseEventId(eventId)) {
      // The same place with another time: its history was replaced. Alone it would have been told so.
      this.#askAlone(rider);
    } else if (position === null || (compareEventIds(eventId, position) ?? 1) > 0) {
      rider.position = eventId;
      rider.frame(text);
    }
  }

  /** It comes back with its cursor, and is told what is true of that. */
  #askAlone(rider: Rider): void {
    this.#riders.delete(rider);
    rider.cut();
  }

  #end(isRefused: boolean, tell: (rider: Rider) => void): void {
    const all = [...this.#riders];
    this.#riders.clear();
    this.#listener.over(isRefused);
    for (const rider of all) tell(rider);
  }
}

function open(rider: Rider): void {
  rider.stage = 'opened';
  rider.opened();
}

function tellGap(rider: Rider, text: string): void {
  if (isReset(readHead(text))) rider.position = null;
  rider.frame(text);
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

function oldest(riders: readonly Rider[]): string | null {
  return riders.reduce<string | null>((least, { position }, index) => (index === 0 || isOlder(position, least) ? position : least), null);
}
