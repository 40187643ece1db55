import { isPolicyClose } from '../../machines/index.ts';
import { compareEventIds, parseEventId } from '../../machines/wire/index.ts';
import { openSocket, type Socket, type SocketListener, type SocketPort, type SocketRequest } from '../transports/socket.ts';
import { readCursor, readFrameHead, type FrameHead } from './frame-head.ts';
import { credentialsText, type SocketCredentials } from './credential-cache.ts';
import { readPlaces, UpstreamParts, type PartPlaces } from './upstream-parts.ts';

/** One virtual socket, as the leader sees it. */
export interface UpstreamSocket {
  readonly request: SocketRequest;
  /** `waiting` for its socket, `opened`, `subscribed`, `confirmed`. */
  stage: 'waiting' | 'opened' | 'subscribed' | 'confirmed';
  /** The newest fact that it was given or had before; null for none. */
  position: string | null;
  /** How far it is in parts. */
  places: PartPlaces;
  opened(): void;
  frame(text: string | undefined): void;
  closed(closeCode: number): void;
  cut(): void;
  refused(status: number, body: string, retryAfter: string | undefined): void;
}

/** The one connection of all tabs to one task. Its virtual sockets are those of the tabs. */
export interface Upstream {
  readonly credentials: SocketCredentials;
  readonly isEmpty: boolean;
  add(virtualSocket: UpstreamSocket): void;
  /** What a virtual socket sends. False where its cursor cannot be compared with the others': it needs an upstream of its own. */
  send(virtualSocket: UpstreamSocket, text: string): boolean;
  remove(virtualSocket: UpstreamSocket): void;
  /** Connects anew, with these credentials and after so many changes of the network, from where the virtual sockets are. */
  renew(credentials: SocketCredentials, networkChanges: number): void;
  close(): void;
}

/** Told by an upstream of itself. */
export interface UpstreamListener {
  /** Nothing comes any more; `isRefused` where the server would not have it with these credentials. */
  over(isRefused: boolean): void;
}

/**
 * Opens a socket for the first virtual one. Those with different cursors share it: it goes back to the oldest cursor, and each is given only what
 * it does not have.
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
  #first: SocketRequest;
  readonly #listener: UpstreamListener;
  readonly #virtualSockets = new Set<UpstreamSocket>();
  readonly #parts = new UpstreamParts();
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
    return this.#virtualSockets.size === 0;
  }

  add(virtualSocket: UpstreamSocket): void {
    this.#virtualSockets.add(virtualSocket);
    if (this.#isOpen) open(virtualSocket);
  }

  send(virtualSocket: UpstreamSocket, text: string): boolean {
    const begun = this.#begun;
    const cursor = readCursor(text);
    if (cursor === undefined) return true;
    if (begun && !isComparable(cursor, begun.reached)) return false;
    // Only the server can tell of which history a cursor is that lies ahead.
    if (begun && this.#history === 'replaced' && cursor !== null && isOlder(begun.reached, cursor)) return false;
    virtualSocket.position = cursor;
    virtualSocket.places = readPlaces(text);
    virtualSocket.stage = 'subscribed';
    // The oldest cursor is looked for once the socket is open.
    if (!this.#isOpen) return true;
    if (!begun) this.#subscribe(cursor);
    else if (isOlder(cursor, begun.reached) || this.#parts.hasPassed(virtualSocket.places)) this.#reconnect();
    else this.#confirm(virtualSocket);
    return true;
  }

  remove(virtualSocket: UpstreamSocket): void {
    this.#virtualSockets.delete(virtualSocket);
  }

  renew(credentials: SocketCredentials, networkChanges: number): void {
    this.#first = { ...this.#first, networkChanges };
    this.#credentials = credentials;
    this.#reconnect();
  }

  close(): void {
    this.#socket.close();
  }

  #connect(): Socket {
    return openSocket(
      this.#sockets,
      { ...this.#first, ...this.#credentials },
      {
        opened: () => {
          this.#isOpen = true;
          for (const virtualSocket of [...this.#virtualSockets]) if (virtualSocket.stage === 'waiting') open(virtualSocket);
          const waiting = this.#subscribed();
          if (!this.#begun && waiting.length > 0) this.#subscribe(oldest(waiting));
        },
        frame: (text) => this.#take(text),
        closed: (closeCode) => this.#closed(closeCode),
        // A browser shows no status of a refused upgrade: it may have been the credentials.
        cut: () => this.#end(!this.#isOpen, (virtualSocket) => virtualSocket.cut()),
        refused: (status, body, retryAfter) =>
          this.#end(status === 401, (virtualSocket) => {
            // What refuses another tab's credentials says nothing of its own.
            if (status === 401 && !this.#showsThoseOf(virtualSocket)) virtualSocket.cut();
            else virtualSocket.refused(status, body, retryAfter);
          }),
      },
    );
  }

  #showsThoseOf({ request }: UpstreamSocket): boolean {
    return credentialsText(request) === credentialsText(this.#credentials);
  }

  #reconnect(): void {
    // Shared sockets close with the last task on them: another one, which never asks for anything, keeps it open in between.
    const between = this.#sockets.extensions?.includes('multiplex')
      ? openSocket(this.#sockets, { ...this.#first, ...this.#credentials, taskId: '' }, nobody)
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
    const parts = this.#parts.begin(placesOf(this.#subscribed()));
    this.#socket.send(
      JSON.stringify({ action: 'subscribe', taskId, ...(cursor !== null && { lastEventId: cursor }), ...(parts && { parts }) }),
    );
  }

  #subscribed(): UpstreamSocket[] {
    return [...this.#virtualSockets].filter(({ stage }) => stage === 'subscribed' || stage === 'confirmed');
  }

  /** Confirms a virtual socket that stands where the subscription is, or further. */
  #confirm(virtualSocket: UpstreamSocket): void {
    if (!this.#confirmation || virtualSocket.stage !== 'subscribed') return;
    virtualSocket.stage = 'confirmed';
    virtualSocket.frame(JSON.stringify({ ...this.#confirmation, replayStartedAfterEventId: virtualSocket.position }));
    if (this.#gap !== undefined && virtualSocket.position === this.#begun?.cursor) tellGap(virtualSocket, this.#gap);
  }

  #take(text: string | undefined): void {
    const all = this.#subscribed();
    if (text === undefined) return all.forEach((virtualSocket) => virtualSocket.frame(undefined));
    const head = readFrameHead(text);
    const { type, eventId } = head;
    if (type === 'SUBSCRIPTION_CONFIRMED') {
      this.#confirmation = head.whole;
      for (const virtualSocket of all) this.#confirm(virtualSocket);
    } else if (type === 'GAP') this.#takeGap(head, text, all);
    else if (type === 'PART') this.#takePart(head, text, all);
    else if (eventId === undefined || type === 'HEARTBEAT') all.forEach((virtualSocket) => virtualSocket.frame(text));
    else {
      this.#gap = undefined;
      if (this.#begun) this.#begun.reached = eventId;
      if (type === 'TASK_PART_CLOSED') this.#parts.close(text, placesOf(all));
      for (const virtualSocket of all) this.#deliver(virtualSocket, eventId, text);
    }
  }

  /** Each client leaves out what it has. */
  #takePart({ whole }: FrameHead, text: string, all: readonly UpstreamSocket[]): void {
    if (whole) this.#parts.take(whole, placesOf(all));
    for (const virtualSocket of all) virtualSocket.frame(text);
  }

  #takeGap(head: FrameHead, text: string, all: readonly UpstreamSocket[]): void {
    this.#gap = text;
    if (isReset(head)) {
      this.#history = 'replaced';
      this.#parts.clear();
    }
    for (const virtualSocket of all)
      if (this.#concerns(head, virtualSocket)) tellGap(virtualSocket, text);
      else if (isReset(head)) this.#sendAway(virtualSocket);
  }

  /** A gap is about the cursor that was asked from; of a trimmed log also about others before its first fact. */
  #concerns({ whole }: FrameHead, { position }: UpstreamSocket): boolean {
    if (position === (this.#begun?.cursor ?? null)) return true;
    const firstKept = typeof whole?.['firstEventId'] === 'string' ? parseEventId(whole['firstEventId']) : undefined;
    const at = position === null ? undefined : parseEventId(position);
    return whole?.['reason'] === 'trimmed' && firstKept !== undefined && at !== undefined && at.n < firstKept.n - 1;
  }

  #deliver(virtualSocket: UpstreamSocket, eventId: string, text: string): void {
    const { position } = virtualSocket;
    if (position !== null && position !== eventId && parseEventId(position)?.n === parseEventId(eventId)?.n && parseEventId(eventId)) {
      // The same place with another time: its history was replaced. Alone it would have been told so.
      this.#sendAway(virtualSocket);
    } else if (position === null || (compareEventIds(eventId, position) ?? 1) > 0) {
      virtualSocket.position = eventId;
      virtualSocket.frame(text);
    }
  }

  /** It comes back with its cursor, by a connection of its own, and is told what is true of that. */
  #sendAway(virtualSocket: UpstreamSocket): void {
    this.#virtualSockets.delete(virtualSocket);
    virtualSocket.cut();
  }

  /** Before it confirms, a server may refuse the place that it was asked to go on from: whoever stands elsewhere comes back by himself. */
  #closed(closeCode: number): void {
    const asked = this.#confirmation ? undefined : this.#begun;
    this.#end(isPolicyClose(closeCode), (virtualSocket) => {
      if (isPolicyClose(closeCode) && asked && virtualSocket.position !== asked.cursor) virtualSocket.cut();
      else virtualSocket.closed(closeCode);
    });
  }

  #end(isRefused: boolean, tell: (virtualSocket: UpstreamSocket) => void): void {
    const all = [...this.#virtualSockets];
    this.#virtualSockets.clear();
    this.#listener.over(isRefused);
    for (const virtualSocket of all) tell(virtualSocket);
  }
}

function open(virtualSocket: UpstreamSocket): void {
  virtualSocket.stage = 'opened';
  virtualSocket.opened();
}

const placesOf = (virtualSockets: readonly UpstreamSocket[]): PartPlaces[] => virtualSockets.map(({ places }) => places);

function tellGap(virtualSocket: UpstreamSocket, text: string): void {
  if (isReset(readFrameHead(text))) {
    virtualSocket.position = null;
    virtualSocket.places.clear();
  }
  virtualSocket.frame(text);
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

function oldest(virtualSockets: readonly UpstreamSocket[]): string | null {
  return virtualSockets.reduce<string | null>(
    (least, { position }, index) => (index === 0 || isOlder(position, least) ? position : least),
    null,
  );
}
